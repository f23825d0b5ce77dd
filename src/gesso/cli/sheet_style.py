"""Style and script of the contact sheet. Both stand in the page once; the page's policy admits them by their hashes."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f7f6f3; --card: #ffffff; --ink: #1d1c1a; --soft: #6b6862; --line: #e4e1db;
  --good: #2f7a4d; --mend: #8a6100; --back: #7b4aa0; --bad: #b3261e;
  --check-a: #ffffff; --check-b: #e3e1dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161615; --card: #1f1f1e; --ink: #eceae6; --soft: #9d9a94; --line: #33322f;
    --good: #6fc28f; --mend: #dcb24c; --back: #c49be4; --bad: #f2867e;
    --check-a: #4a4947; --check-b: #3a3937;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink); font-variant-numeric: tabular-nums;
  font: 15px/1.55 "Inter", system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
}
.page { max-width: 1320px; margin: 0 auto; padding: 56px 32px 96px; }
header { margin-bottom: 40px; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 600; letter-spacing: -0.015em; margin: 0 0 6px; }
.meta { color: var(--soft); margin: 0; }
.counts { display: flex; flex-wrap: wrap; gap: 8px 36px; margin: 28px 0 0; padding: 0; list-style: none; }
.counts b { display: block; font-size: 26px; line-height: 1.2; font-weight: 600; letter-spacing: -0.01em; }
.counts span { color: var(--soft); font-size: 13px; }
.counts .none b { color: var(--soft); font-weight: 400; }
.filter { display: flex; flex-wrap: wrap; gap: 6px; margin: 28px 0 0; }
button {
  font: inherit; font-size: 13px; color: var(--soft); background: none; border: 1px solid transparent;
  border-radius: 6px; padding: 3px 11px; cursor: pointer;
}
button:hover { color: var(--ink); }
button[aria-pressed="true"] { color: var(--ink); background: var(--card); border-color: var(--line); }
button:focus-visible, summary:focus-visible, input:focus-visible ~ .handle { outline: 2px solid var(--ink); outline-offset: 2px; }
article {
  display: grid; grid-template-columns: minmax(0, 1.85fr) minmax(300px, 1fr); gap: 0; margin: 0 0 28px;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden;
}
article[hidden] { display: none; }
.stage { background: var(--paper); border-right: 1px solid var(--line); padding: 20px;
  display: flex; flex-direction: column; gap: 12px; }
.view { position: relative; margin: auto; width: fit-content; max-width: 100%; line-height: 0; border-radius: 3px; overflow: hidden;
  background: repeating-conic-gradient(var(--check-b) 0 25%, var(--check-a) 0 50%) 0 0 / 18px 18px; }
.view img { display: block; max-width: 100%; max-height: 620px; width: auto; height: auto; }
.view .over { position: absolute; inset: 0; width: 100%; height: 100%; clip-path: inset(0 calc(100% - var(--cut, 50%)) 0 0); }
.view .veil { position: absolute; inset: 0; clip-path: inset(0 calc(100% - var(--cut, 50%)) 0 0);
  background: repeating-conic-gradient(var(--check-b) 0 25%, var(--check-a) 0 50%) 0 0 / 18px 18px; }
.view input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize; }
.handle { position: absolute; top: 0; bottom: 0; left: var(--cut, 50%); width: 2px; margin-left: -1px; background: #fff;
  box-shadow: 0 0 0 1px rgb(0 0 0 / 0.28); pointer-events: none; }
.handle::after { content: ""; position: absolute; top: 50%; left: 50%; width: 26px; height: 26px; margin: -13px 0 0 -13px;
  border-radius: 50%; background: #fff; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.22), 0 1px 5px rgb(0 0 0 / 0.25); }
.handle::before { content: "\\2039\\2009\\203a"; position: absolute; top: 50%; left: 50%;
  transform: translate(-50%, -54%); z-index: 1;
  font: 600 17px/1 system-ui, sans-serif; color: #333; white-space: nowrap; }
.tag { position: absolute; bottom: 10px; font-size: 12px; line-height: 1; padding: 5px 8px; border-radius: 4px; color: #fff;
  background: rgb(0 0 0 / 0.55); pointer-events: none; }
.tag.left { left: 10px; } .tag.right { right: 10px; }
.view[data-mode="before"] { --cut: 100%; } .view[data-mode="after"], .view[data-mode="layer"] { --cut: 0%; }
.view:not([data-mode="wipe"]) .handle, .view:not([data-mode="wipe"]) input { display: none; }
.view[data-mode="before"] .right, .view[data-mode="after"] .left, .view[data-mode="layer"] .tag { display: none; }
.view .layer { position: absolute; inset: 0; width: 100%; height: 100%; }
.view .layer[hidden] { display: none; }
.view[data-mode="layer"] > img:first-child { visibility: hidden; }
.modes { display: flex; flex-wrap: wrap; justify-content: center; gap: 4px; }
.facts { padding: 22px 26px 20px; min-width: 0; }
h2 { font-size: 17px; line-height: 1.35; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.size { color: var(--soft); font-size: 13px; margin: 2px 0 0; overflow-wrap: anywhere; }
a { color: inherit; text-underline-offset: 0.2em; text-decoration-color: var(--line); text-decoration-thickness: 1px; }
a:hover { text-decoration-color: currentColor; }
.status { font-weight: 600; margin: 16px 0 0; }
.status i { font-style: normal; font-weight: 400; color: var(--soft); }
.reason { margin: 2px 0 0; overflow-wrap: anywhere; }
.passed, .done, .unchanged { color: var(--good); } .repaired { color: var(--mend); } .rolled_back { color: var(--back); }
.failed, .cancelled { color: var(--bad); } .skipped, .planned { color: var(--soft); }
h3 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 22px 0 6px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; line-height: 1.45; }
td, th { text-align: left; vertical-align: baseline; padding: 5px 12px 5px 0; border-top: 1px solid var(--line); font-weight: 400; }
tr:first-child > td, tr:first-child > th { border-top: 0; }
td.n { text-align: right; white-space: nowrap; } td:last-child { padding-right: 0; }
td.m { width: 1.4em; padding-right: 4px; }
.pass { color: var(--good); } .fail { color: var(--bad); font-weight: 600; }
small { display: block; font-size: 12.5px; color: var(--soft); overflow-wrap: anywhere; }
.notices { margin: 14px 0 0; padding: 0; list-style: none; font-size: 13.5px; color: var(--soft); }
details { grid-column: 1 / -1; border-top: 1px solid var(--line); }
summary { cursor: pointer; padding: 12px 26px; font-size: 13.5px; color: var(--soft); }
summary:hover { color: var(--ink); }
.story { padding: 0 26px 22px; overflow-x: auto; }
.story h3:first-child { margin-top: 0; }
.story table { table-layout: fixed; min-width: 620px; }
.story td { overflow-wrap: anywhere; }
.story td:nth-child(1) { width: 26%; } .story td:nth-child(2) { width: 16%; }
.story td:nth-child(4) { width: 9%; } .story td:nth-child(5) { width: 8%; }
.dropped { color: var(--soft); } .dropped td:first-child { text-decoration: line-through; text-decoration-thickness: 1px; }
.rest { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 26px; }
footer { color: var(--soft); font-size: 13px; margin-top: 40px; }
@media (max-width: 900px) {
  .page { padding: 28px 14px 48px; } article { grid-template-columns: minmax(0, 1fr); }
  .stage { border-right: 0; border-bottom: 1px solid var(--line); padding: 12px; }
}
@media print { .modes, .filter, .handle { display: none; } article { break-inside: avoid; } }
"""

SCRIPT = """
document.querySelectorAll('.view input').forEach(function (slider) {
  var view = slider.parentElement;
  function cut() { view.style.setProperty('--cut', slider.value + '%'); }
  slider.addEventListener('input', cut);
  cut();
});
document.querySelectorAll('.modes').forEach(function (modes) {
  var view = modes.parentElement.querySelector('.view');
  var slider = view.querySelector('input');
  modes.addEventListener('click', function (event) {
    var mode = event.target.dataset.mode;
    if (!mode) { return; }
    view.dataset.mode = mode;
    view.querySelectorAll('.layer').forEach(function (l) { l.hidden = l.dataset.layer !== event.target.dataset.layer; });
    if (mode === 'wipe' && slider) { view.style.setProperty('--cut', slider.value + '%'); }
    else { view.style.removeProperty('--cut'); }
    modes.querySelectorAll('button').forEach(function (b) { b.setAttribute('aria-pressed', b === event.target); });
  });
});
document.querySelectorAll('.filter').forEach(function (filter) {
  filter.addEventListener('click', function (event) {
    var wanted = event.target.dataset.show;
    if (wanted === undefined) { return; }
    document.querySelectorAll('article').forEach(function (a) {
      a.hidden = wanted !== '' && wanted.split(' ').indexOf(a.dataset.status) < 0;
    });
    filter.querySelectorAll('button').forEach(function (b) { b.setAttribute('aria-pressed', b === event.target); });
  });
});
"""
