"""The style sheet of the page; the charts' part is in `colours`."""

from kdsearch.report.colours import CHART, DARK, FONT, LIGHT, variables

_RULES = """
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 FONT; font-variant-numeric: tabular-nums; }
main { max-width: 1080px; margin: 0 auto; padding: 56px 24px 72px; }
header { margin-bottom: 40px; }
.brand { margin: 0; color: var(--soft); font-size: 14px; }
h1 { margin: 4px 0 12px; font-size: 38px; line-height: 1.15; letter-spacing: -.02em;
  font-weight: 700; overflow-wrap: anywhere; }
.lead { margin: 0; max-width: 46em; font-size: 19px; line-height: 1.5; text-wrap: pretty; }
h2 { margin: 64px 0 6px; font-size: 23px; line-height: 1.25; letter-spacing: -.01em; }
h3 { margin: 32px 0 8px; font-size: 16px; }
p { margin: 0 0 14px; max-width: 46em; text-wrap: pretty; }
.note, .none, figcaption { color: var(--soft); font-size: 15px; }
.none { padding: 18px 20px; background: var(--shade); border-radius: 8px; max-width: none; }
figure { margin: 18px 0 0; }
figcaption { margin-top: 8px; max-width: 46em; }
.chart { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.panels { display: grid; grid-template-columns: 1fr 1fr; gap: 20px 32px; }
a { color: inherit; }
a:focus-visible { outline: 2px solid var(--knee); outline-offset: 2px; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr));
  gap: 0; margin: 32px 0 0; border-top: 1px solid var(--rule);
  border-bottom: 1px solid var(--rule); }
.tiles div { padding: 16px 20px 16px 0; }
.tiles dt { color: var(--soft); font-size: 14px; }
.tiles dd { margin: 2px 0 0; font-size: 27px; line-height: 1.2; font-weight: 650;
  letter-spacing: -.01em; overflow-wrap: anywhere; }
.tiles small { display: block; margin-top: 3px; color: var(--soft); font-size: 14px;
  font-weight: 400; letter-spacing: 0; }

.warnings { margin: 32px 0 0; padding: 14px 20px; list-style: none; background: var(--mark);
  border-radius: 8px; }
.warnings li { margin: 4px 0; overflow-wrap: anywhere; }
.warnings b { color: var(--knee); }

.scroll { overflow-x: auto; margin-top: 14px; }
table { border-collapse: collapse; width: 100%; font-size: 15px; line-height: 1.4; }
th, td { padding: 9px 18px 9px 0; text-align: left; vertical-align: top; font-weight: 400;
  unicode-bidi: isolate; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 13px; line-height: 1.3; vertical-align: bottom;
  border-bottom: 1px solid var(--soft); }
tbody tr { border-bottom: 1px solid var(--rule); }
tbody th { font-weight: 650; }
td small, th small { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
thead small { font-size: 12px; font-weight: 400; min-width: 9em; max-width: 11em; }
.number, .line { white-space: nowrap; }
.line { display: block; }
.students { min-width: 900px; }
.students tr.knee th small { color: var(--knee); }
.students tr.teacher th, .students tr.teacher td { color: var(--soft); }
.students tr:target th, .students tr:target td { background: var(--mark); }
.students tbody th small { white-space: nowrap; }
.plain { width: auto; min-width: min(100%, 560px); }
.plain td, .plain th { overflow-wrap: anywhere; }
.plain tbody th { font-weight: 400; }

.bars { margin-top: 14px; }
.bars tr { border: 0; }
.bars th { width: 15em; padding: 5px 20px 5px 0; font-weight: 400;
  overflow-wrap: anywhere; }
.bars td { padding: 5px 0; }
.bars .number { width: 1%; padding-left: 16px; text-align: right; }
.bars svg { display: block; margin-top: 6px; }
.track { fill: var(--shade); }
.length { fill: var(--student); }
.unsure { fill: var(--soft); }
.interval { fill: var(--ink); }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr));
  gap: 14px 32px; margin: 14px 0 0; }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 16px; }
summary { cursor: pointer; color: var(--soft); font-size: 15px; }
details p { margin-top: 8px; overflow-wrap: anywhere; }
footer { margin-top: 72px; padding-top: 16px; border-top: 1px solid var(--rule);
  color: var(--soft); font-size: 14px; }

@media (max-width: 720px) {
  main { padding: 28px 16px 48px; }
  h1 { font-size: 29px; }
  h2 { margin-top: 48px; }
  .lead { font-size: 17px; }
  .wide { display: none; }
  .narrow { display: block; }
  .panels { grid-template-columns: 1fr; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles dd { font-size: 22px; }
  .facts { grid-template-columns: 1fr; }
  .bars th { width: 9em; }
  .students { min-width: 0; }
  .students thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .students, .students tbody, .students tr, .students th, .students td { display: block; }
  .students tr { padding: 14px 0; }
  .students th, .students td { padding: 2px 0; }
  .students td { display: flex; justify-content: space-between; gap: 20px; }
  .students td::before { content: attr(data-label); color: var(--soft); flex: 0 1 46%;
    white-space: normal; }
  .students td > span { text-align: right; overflow-wrap: anywhere; min-width: 0; }
  .students tbody th { font-size: 18px; }
  .students tr.teacher td:not(.number) { display: none; }
}
@media print {
  main { padding: 0; }
  h2, h3 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
}
"""


def style_sheet() -> str:
    """Light by default, dark where the reader or their system asks for it; light on paper."""
    light = f":root {{ color-scheme: light dark; {variables(LIGHT)} }}"
    dark = f"color-scheme: dark; {variables(DARK)}"
    asked = (
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dark} }} }}"
    )
    chosen = f":root[data-theme=dark] {{ {dark} }}"
    chosen += "\n:root[data-theme=light] { color-scheme: light; }"
    paper = f"@media print {{ :root:root:root {{ color-scheme: light; {variables(LIGHT)} }} }}"
    rules = f"{_RULES.replace('FONT', FONT)}{CHART}"
    return "\n".join([light, asked, chosen, paper, rules])
