/** The page's style sheet. Its hash is in the page's Content-Security-Policy, so there are no style attributes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff;
  --raised: #f5f6f8;
  --line: #d9dde3;
  --ink: #16191d;
  --quiet: #545c66;
  --link: #0b5cad;
  --action: #0b5cad;
  --action-ink: #ffffff;
  --good: #14622f;
  --good-ground: #e3f4e8;
  --open: #5b4a00;
  --open-ground: #f8efcc;
  --warn: #8a1c1c;
  --warn-ground: #fbe6e4;
  --here: #edf4fc;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a;
    --raised: #1e2226;
    --line: #363c43;
    --ink: #e9ecef;
    --quiet: #a6aeb8;
    --link: #82bcf5;
    --action: #9ccbf8;
    --action-ink: #0d2136;
    --good: #92dda9;
    --good-ground: #163422;
    --open: #ecd57f;
    --open-ground: #362f10;
    --warn: #f5aaa4;
    --warn-ground: #421b19;
    --here: #1a2733;
  }
}
* { box-sizing: border-box; }
html { border-top: 4px solid var(--action); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto;
  padding: 0 1.25rem 3rem;
  max-width: 64rem;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
  overflow-wrap: break-word;
}
a { color: var(--link); text-underline-offset: 0.15em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
:target { scroll-margin-top: 4rem; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
h1, h2, h3, h4, h5 { line-height: 1.2; text-wrap: balance; }
h1 { margin: 0; font-size: clamp(2rem, 7vw, 3.25rem); letter-spacing: -0.025em; font-weight: 750; }
h1 .version { color: var(--quiet); font-weight: 400; }
h2 { margin: 0 0 1rem; font-size: 1.5rem; letter-spacing: -0.01em; }
h3 { margin: 1.5rem 0 0.25rem; font-size: 1.0625rem; }
h4, h5 { margin: 1.25rem 0 0.25rem; font-size: 1rem; }
p { margin: 0 0 0.75rem; }
small { font-size: 0.8125rem; color: var(--quiet); }
section { margin-top: 3rem; }
section > h2 + .commands > .commands-head { margin-top: 0; }
pre code { font-size: inherit; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; padding: 0.5rem 1rem; background: var(--ground); z-index: 1; }
.visually-hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}

.masthead {
  display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; align-items: baseline; justify-content: space-between;
  padding: 1rem 0; border-bottom: 1px solid var(--line);
}
.masthead p { margin: 0; min-width: 0; }
.masthead ul { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0; padding: 0; list-style: none; }
.masthead a { display: inline-block; padding: 0.25rem 0; text-decoration: none; }
.masthead a:hover { text-decoration: underline; }

.hero { margin-top: 3rem; }
.lead { margin: 0.75rem 0 1rem; font-size: 1.125rem; color: var(--quiet); }
.badges { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.badge {
  display: inline-block; padding: 0.0625rem 0.5625rem; border-radius: 1rem; border: 1px solid transparent;
  font-size: 0.8125rem; font-weight: 550; white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis;
}
.badge.good { background: var(--good-ground); color: var(--good); }
.badge.open { background: var(--open-ground); color: var(--open); }
.badge.warn { background: var(--warn-ground); color: var(--warn); }
.badge.plain { border-color: var(--line); color: var(--quiet); }
.badge.here { background: var(--action); color: var(--action-ink); margin-top: 0.375rem; }
.warning { padding: 0.75rem 1rem; background: var(--warn-ground); color: var(--warn); border-left: 4px solid currentcolor; border-radius: 4px; }

table { width: 100%; border-collapse: collapse; }
caption { text-align: left; padding-bottom: 0.5rem; color: var(--quiet); font-size: 0.875rem; }
th, td { text-align: left; vertical-align: top; padding: 0.75rem 1rem 0.75rem 0; border-top: 1px solid var(--line); }
thead th { padding-block: 0.375rem; border: 0; font-size: 0.8125rem; font-weight: 550; color: var(--quiet); }
tbody th { font-weight: 600; }
.files th[scope='row'] { width: 31%; }
.files small, .files .reason { display: block; margin-top: 0.25rem; font-weight: 400; }
.files th small { font-family: var(--mono); font-size: 0.75rem; overflow-wrap: anywhere; }
.files tr.here { background: var(--here); box-shadow: -0.75rem 0 0 var(--here), 0.75rem 0 0 var(--here); }
.reason { font-size: 0.8125rem; color: var(--quiet); max-width: 14rem; }
.digest code { display: block; overflow-wrap: anywhere; font-size: 0.8125rem; line-height: 1.45; }
@media (min-width: 48.001rem) { .digest code { width: 32.5ch; } .files td:last-child, .lines td:last-child { padding-right: 0; } }
.digest small, .links { display: flex; flex-wrap: wrap; gap: 0.125rem 0.875rem; }
.files .digest small { display: flex; }
.download {
  display: inline-block; padding: 0.3125rem 0.875rem; border-radius: 6px; background: var(--action); color: var(--action-ink);
  font-weight: 600; text-decoration: none; overflow-wrap: anywhere;
}
.download::before { content: '↓ ' / ''; }
.download:hover { text-decoration: underline; }
@media (forced-colors: active) { .download, .badge { border: 1px solid; } }

.commands p, .about { margin-bottom: 0.5rem; color: var(--quiet); }
pre {
  margin: 0 0 0.75rem; padding: 0.75rem 1rem; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: 6px;
  line-height: 1.6; tab-size: 4;
}
.commands pre { white-space: pre-wrap; word-break: break-all; text-indent: 2ch hanging each-line; }
.notes pre {
  --cover: linear-gradient(var(--raised), var(--raised));
  background:
    var(--cover) 0 0 / 1.5rem 100% no-repeat local, var(--cover) 100% 0 / 1.5rem 100% no-repeat local,
    linear-gradient(90deg, var(--quiet), transparent) 0 0 / 0.5rem 100% no-repeat scroll,
    linear-gradient(-90deg, var(--quiet), transparent) 100% 0 / 0.5rem 100% no-repeat scroll, var(--raised);
}
.commands-head { display: flex; align-items: end; justify-content: space-between; gap: 1rem; margin-top: 1.5rem; }
.commands-head h3, .commands-head h5 { margin: 0 0 0.25rem; }
.commands-head button {
  padding: 0.125rem 0.75rem; font: inherit; font-size: 0.8125rem; color: var(--ink); background: var(--raised);
  border: 1px solid var(--line); border-radius: 4px; cursor: pointer;
}
.commands-head button:hover { border-color: var(--quiet); }

.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.5rem 1.5rem; margin: 1.25rem 0 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.facts small { display: block; }
.facts small.links { display: flex; }
.notes { max-width: 46rem; }
.notes p { white-space: pre-line; }
.notes code { background: var(--raised); padding: 0.0625rem 0.25rem; border-radius: 3px; overflow-wrap: anywhere; }
.notes pre code { background: none; padding: 0; }
.notes ul { margin: 0 0 0.75rem; padding-left: 1.25rem; }
.notes li { margin-bottom: 0.25rem; }

s { text-decoration-thickness: 2px; }
.withdrawn .download, .withdrawn .download:hover { background: none; color: var(--link); border: 1px solid var(--line); }
.lines th small { display: block; font-weight: 400; max-width: 18rem; overflow-wrap: anywhere; }
.lines time { white-space: nowrap; }
summary .badge, .lines .badge { vertical-align: middle; }

details { border-top: 1px solid var(--line); }
details:last-child { border-bottom: 1px solid var(--line); }
summary { padding: 0.625rem 0; cursor: pointer; }
summary:hover .version, summary:hover { color: var(--link); }
summary .version { font-weight: 600; overflow-wrap: anywhere; }
summary time { color: var(--quiet); margin-left: 0.5rem; }
summary .badge { margin-left: 0.5rem; }
summary .subject { display: block; color: var(--quiet); padding-left: 1.125rem; }
details .body { padding: 0 0 1.25rem 1.125rem; }
details.all > .body { padding-bottom: 0; }
details .body h3 { margin-top: 0.25rem; }
.permalink-line { margin: 1rem 0 0; font-size: 0.875rem; }
.permalink { color: inherit; text-decoration-color: var(--line); }
.lines { font-size: 0.875rem; margin-bottom: 1rem; }
.lines th, .lines td { padding-block: 0.375rem; }

footer { margin-top: 4rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: 0.875rem; color: var(--quiet); }
footer ul { margin: 0 0 0.75rem; padding: 0; list-style: none; }

@media (max-width: 48rem) {
  body { padding-inline: 1rem; }
  section { margin-top: 2.5rem; }
  .hero { margin-top: 2rem; }
  .files, .files tbody, .files caption, .lines, .lines tbody { display: block; }
  .files thead, .lines thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .files tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.5rem 1rem; padding: 1rem 0; border-top: 1px solid var(--line); }
  .files th[scope='row'], .files td { display: block; width: auto; padding: 0; border: 0; }
  .files th[scope='row'] { grid-column: 1 / -1; }
  .files .digest { grid-column: 1 / -1; grid-row: 3; }
  .files td:last-child { text-align: right; }
  .lines tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.125rem 1rem; padding: 0.5rem 0; border-top: 1px solid var(--line); }
  .lines th, .lines td { display: block; padding: 0; border: 0; min-width: 0; overflow-wrap: anywhere; }
  .lines td:nth-child(n + 3) { grid-column: 1 / -1; }
  .facts { display: block; }
  .facts dd { margin-bottom: 0.75rem; }
  details .body { padding-left: 0; }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --raised: #fff; --ink: #000; --quiet: #333; --link: #000; --here: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .masthead nav, .skip, .commands-head button, footer, .badge.here { display: none; }
  .download { background: none; color: #000; padding: 0; }
  .badge { border: 1px solid #333; background: none; color: #000; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  tr, pre, .facts { break-inside: avoid; }
}
`
