/* How the elements look. A page sets the `--celeriac-…` properties, or styles the parts. A sheet made
   here is no inline style, so a strict Content-Security-Policy lets it be. */

const SHEET = `
:host {
  --ink: var(--celeriac-ink, #1b2430);
  --quiet: var(--celeriac-quiet, #5b6675);
  --back: var(--celeriac-back, #fff);
  --line: var(--celeriac-line, #dfe4ea);
  --soft: var(--celeriac-soft, #f4f6f8);
  --accent: var(--celeriac-accent, #1f7a3d);
  --queued: #4b5563; --processing: #1d4ed8; --scheduled: #6d28d9; --blocked: #92400e;
  --completed: #156e37; --failed: #b91c1c; --cancelled: #334155; --loading: #4b5563;
  display: block;
  color: var(--ink);
  font: var(--celeriac-font, 14px/1.45 system-ui, sans-serif);
  color-scheme: light;
}
@media (prefers-color-scheme: dark) {
  :host {
    --ink: var(--celeriac-ink, #e6eaf0);
    --quiet: var(--celeriac-quiet, #9aa6b5);
    --back: var(--celeriac-back, #161b22);
    --line: var(--celeriac-line, #2d3540);
    --soft: var(--celeriac-soft, #1e252e);
    --accent: var(--celeriac-accent, #4ade80);
    --queued: #d1d5db; --processing: #93c5fd; --scheduled: #c4b5fd; --blocked: #fcd34d;
    --completed: #86efac; --failed: #fca5a5; --cancelled: #cbd5e1; --loading: #d1d5db;
    color-scheme: dark;
  }
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; margin: 0; }
.card, .board {
  padding: 14px 16px;
  border: 1px solid var(--line);
  border-radius: var(--celeriac-radius, 10px);
  background: var(--back);
}
header { display: flex; gap: 12px; align-items: center; justify-content: space-between; min-width: 0; }
.type { overflow-wrap: anywhere; font-weight: 600; }
.quiet { color: var(--quiet); }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
[data-status=queued] { --tone: var(--queued); } [data-status=processing] { --tone: var(--processing); }
[data-status=scheduled] { --tone: var(--scheduled); } [data-status=blocked] { --tone: var(--blocked); }
[data-status=completed] { --tone: var(--completed); } [data-status=failed] { --tone: var(--failed); }
[data-status=cancelled] { --tone: var(--cancelled); } [data-status=loading] { --tone: var(--loading); }
.pill {
  flex: none;
  padding: 1px 9px;
  border-radius: 99px;
  background: color-mix(in srgb, var(--tone) 14%, transparent);
  color: var(--tone);
  font-size: .8em; font-weight: 600; line-height: 1.7; white-space: nowrap;
}
.bar { block-size: 8px; margin-block: 10px; overflow: hidden; border-radius: 99px; background: var(--soft); box-shadow: inset 0 0 0 1px var(--line); }
.fill { display: block; block-size: 100%; border-radius: 99px; background: var(--tone, var(--accent)); transition: inline-size .25s ease-out; }
@media (prefers-reduced-motion: reduce) { .fill { transition: none; } }
footer { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; min-block-size: 32px; color: var(--quiet); }
footer .message { flex: 1 1 8em; overflow-wrap: anywhere; }
.percent { font-variant-numeric: tabular-nums; }
.error { margin-block: 8px; padding: 8px 10px; border-radius: 6px; background: color-mix(in srgb, var(--failed) 10%, transparent); color: var(--failed); overflow-wrap: anywhere; white-space: pre-wrap; }
button {
  min-block-size: 32px; padding: 0 12px;
  border: 1px solid var(--line); border-radius: 6px;
  background: var(--soft); color: var(--ink); font: inherit; font-weight: 500; cursor: pointer;
}
button:hover { border-color: var(--quiet); }
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button:disabled { opacity: .55; cursor: default; }
h2 { font-size: 1.15em; } h3 { margin-block-end: 6px; font-size: 1em; }
.state { color: var(--quiet); font-size: .9em; white-space: nowrap; }
.state::before { content: ""; display: inline-block; inline-size: 8px; block-size: 8px; margin-inline-end: 6px; border-radius: 50%; background: var(--blocked); }
.state[data-state=live]::before { background: var(--completed); }
.state[data-state=polling]::before { background: var(--processing); }
.state[data-state=waiting]::before, .state[data-state=ended]::before { background: var(--failed); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(96px, 1fr)); gap: 8px; margin-block: 12px 8px; }
.tile { padding: 8px 10px; border-radius: 8px; border-inline-start: 3px solid var(--tone); background: var(--soft); }
.tile dt { color: var(--quiet); font-size: .85em; }
.count { margin: 0; font-size: 1.4em; font-weight: 650; font-variant-numeric: tabular-nums; min-block-size: 1.45em; }
.throughput { font-size: .9em; }
.halves { display: flex; flex-wrap: wrap; gap: 20px; margin-block-start: 16px; }
.panel { flex: 3 1 340px; min-inline-size: 0; } .panel + .panel { flex: 1 1 180px; }
table { inline-size: 100%; border-collapse: collapse; }
th { padding: 4px 8px 4px 0; color: var(--quiet); font-size: .85em; font-weight: 500; text-align: start; }
th:last-child { padding-inline-end: 0; text-align: end; }
td { padding: 7px 8px 7px 0; border-block-start: 1px solid var(--line); vertical-align: middle; }
td:last-child { padding-inline-end: 0; }
td:nth-child(3) { inline-size: 24%; min-inline-size: 56px; }
td .type, td .message { display: block; overflow-wrap: anywhere; }
td .message { display: -webkit-box; overflow: hidden; font-size: .9em; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
td .message:empty { display: none; }
td .bar { margin-block: 0; }
.panel { container-type: inline-size; }
@container (max-width: 400px) { td .type { font-size: .9em; } td:nth-child(3) { inline-size: 15%; min-inline-size: 40px; } }
.queues { display: grid; gap: 8px; padding: 0; list-style: none; }
.queues li { display: grid; grid-template-columns: 1fr auto; column-gap: 8px; }
.depth { grid-column: 1 / -1; margin-block: 4px 0; }
`;

let sheet = null;

/** One sheet for every element of the page. */
export function look() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
  }
  return sheet;
}
