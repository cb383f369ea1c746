"""How the report looks: one column that is as wide as it reads well, light and dark, desktop and phone."""

STYLE = """
:root{color-scheme:light dark;--paper:#fcfcfa;--card:#fff;--ink:#1c2024;--soft:#5b6470;--line:#dfe3e6;--grid:#e9ecee;
  --accent:#0b5cad;--bad:#b3261e;--good:#1a7f37;--true:#f2b8a0;--warn:#fff4d6;--warn-line:#d8a629;--c0:#0072b2;
  --c1:#c75000;--c2:#007f5f;--c3:#a8447f;--c4:#8a6d00;--c5:#4b54c4;--c6:#3b7d8f;--c7:#3a3f45}
@media(prefers-color-scheme:dark){
:root{--paper:#14171a;--card:#1b1f23;--ink:#e7eaed;--soft:#a3adb8;--line:#343b42;--grid:#2a3036;--accent:#79b8ff;
  --bad:#ff8f85;--good:#6fd08c;--true:#7d3c28;--warn:#332a12;--warn-line:#a8842a;--c0:#56b4e9;--c1:#ff9d5c;
  --c2:#3ecf9e;--c3:#e79ac6;--c4:#e5c95c;--c5:#9aa2ff;--c6:#7cc7d8;--c7:#d5d9dd}
}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
  "Helvetica Neue",Arial,sans-serif;overflow-wrap:break-word}
main,header,footer{max-width:66rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
footer{padding:2rem 1.25rem 3rem;color:var(--soft);font-size:.875rem}
h1{font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.15;margin:0 0 .5rem;letter-spacing:-.02em;text-wrap:balance}
h2{font-size:1.45rem;line-height:1.25;margin:3.2rem 0 .6rem;letter-spacing:-.01em;border-top:1px solid var(--line);
  padding-top:1.6rem}
h3{font-size:1.1rem;margin:2rem 0 .4rem}
h4{font-size:.95rem;margin:1.2rem 0 .3rem}
p,ul,ol{max-width:46rem}
p{margin:.5rem 0}
ul{padding-left:1.2rem}
li{margin:.25rem 0}
a{color:var(--accent)}
.soft{color:var(--soft)}
.small{font-size:.875rem}
.lead{font-size:1.15rem;color:var(--soft);text-wrap:pretty}
.good{color:var(--good)}
.bad{color:var(--bad)}
nav{margin:1.2rem 0 0;font-size:.95rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;padding:0;margin:0;max-width:none}
nav li{margin:0}
nav a{display:inline-block;padding:.35rem 0}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.6rem,1fr));gap:.75rem;margin:1.5rem 0;padding:0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}
.facts div{display:flex;flex-direction:column;justify-content:space-between}
.facts dt{color:var(--soft);font-size:.8rem;line-height:1.3;margin-bottom:.2rem}
.facts dd{margin:0;font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:.6rem;background:var(--card)}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;width:100%}
caption{text-align:left;max-width:calc(100vw - 3rem);padding:.6rem .8rem 0;color:var(--soft);font-size:.875rem}
th,td{padding:.45rem .8rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line);
  vertical-align:baseline}
thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.8rem;vertical-align:bottom;white-space:normal;
  line-height:1.3}
th:first-child,td:first-child{text-align:left}
tbody th{font-weight:600}
td small,th small{font-weight:400;color:var(--soft);display:block}
td.words,th.words{text-align:left;white-space:normal;min-width:14rem}
.note{background:var(--warn);border-left:4px solid var(--warn-line);border-radius:.3rem;padding:.5rem .9rem;
  margin:.75rem 0;max-width:46rem}
.note p{margin:.25rem 0}
.swatch{display:inline-block;width:.7em;height:.7em;border-radius:.2em;background:currentColor;margin-right:.45em}
.forest{margin:1rem 0;font-variant-numeric:tabular-nums}
.row{display:grid;grid-template-columns:7.5rem minmax(0,1fr) 12rem;gap:0 1rem;align-items:center}
.row .name{font-weight:600}
.row .value{font-size:.9rem}
.row .scale{grid-column:2;display:flex;justify-content:space-between;color:var(--soft);font-size:.75rem}
.interval{width:100%;height:1.9rem;display:block;overflow:visible}
.rail{stroke:var(--line)}
.span{stroke-width:4;stroke-linecap:round;opacity:.45}
.mark{stroke:var(--ink);stroke-width:2;stroke-dasharray:3 2}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(14.2rem,100%),1fr));gap:1rem;margin:1rem 0}
figure{margin:0}
figcaption{font-size:.85rem;color:var(--soft);margin:.3rem 0}
.charts figure{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem}
.charts figcaption b{color:var(--ink)}
.chart{width:100%;height:auto;display:block}
.chart text{fill:var(--soft);font-size:10px;font-family:inherit}
.middle{text-anchor:middle}
.end{text-anchor:end}
.grid{stroke:var(--grid)}
.reference{stroke:var(--soft);stroke-dasharray:3 3;fill:none}
.curve{fill:none;stroke-width:2;stroke-linejoin:round}
.dashed{stroke-dasharray:5 3}
.c0{color:var(--c0)}
.c1{color:var(--c1)}
.c2{color:var(--c2)}
.c3{color:var(--c3)}
.c4{color:var(--c4)}
.c5{color:var(--c5)}
.c6{color:var(--c6)}
.c7{color:var(--c7)}
.curve,.span{stroke:currentColor}
.dot,.bar,.area{fill:currentColor}
.area{opacity:.55}
.confusion{width:auto}
.scroll:has(.confusion){width:fit-content;max-width:100%}
.confusion th,.confusion td{padding:.3rem .6rem;font-size:.8rem}
.confusion td{text-align:center;background:color-mix(in srgb,var(--shade) var(--share,0%),transparent)}
.confusion .right{--shade:color-mix(in srgb,var(--c2) 45%,var(--card))}
.confusion .wrong{--shade:color-mix(in srgb,var(--bad) 45%,var(--card))}
details{border:1px solid var(--line);border-radius:.6rem;margin:.6rem 0;background:var(--card)}
details>*:not(summary){margin-left:.9rem;margin-right:.9rem}
details>.scroll{border:0}
summary{cursor:pointer;padding:.6rem .9rem;font-weight:600}
summary .soft{font-weight:400}
.video{padding:.4rem 0 1rem;border-top:1px solid var(--line)}
summary+.video{border-top:0}
.video h4{margin:.4rem 0;display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline}
.lanes{display:grid;grid-template-columns:6.2rem minmax(0,1fr);gap:3px .7rem;align-items:center;font-size:.8rem}
.lanes .name{text-align:right;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.film{display:flex;gap:2px}
.film img{flex:1 1 0;min-width:0;width:100%;height:auto;display:block}
.film img:first-child{border-radius:.35rem 0 0 .35rem}
.film img:last-child{border-radius:0 .35rem .35rem 0}
.track,.truth,.bars{width:100%;display:block;background:var(--grid)}
.track{height:1.8rem}
.truth{height:.75rem}
.bars{height:1.6rem}
.true{fill:var(--bad);opacity:.75}
.alarm{fill:var(--bad)}
.threshold{stroke:var(--ink);stroke-dasharray:4 3;vector-effect:non-scaling-stroke;opacity:.7}
.clock{grid-column:2;display:flex;justify-content:space-between;color:var(--soft);font-size:.75rem}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.85rem;color:var(--soft);margin:.6rem 0;padding:0;
  list-style:none;max-width:none}
.key li{display:flex;align-items:center;gap:.45rem;margin:0}
.key i{width:1.4rem;height:.7rem;display:inline-block;border-radius:2px}
.key .is-true{background:var(--bad);opacity:.75}
.key .is-alarm{background:var(--bad);height:.25rem}
.key .is-area{background:var(--c0);opacity:.55}
.key .is-threshold{height:0;border-top:2px dashed var(--ink)}
figure+figure:not(.moments *,.maps *,.charts *){margin-top:1rem}
.moments{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(13rem,100%),1fr));gap:1rem;margin:.8rem 0}
.moments img,.maps img{width:100%;height:auto;border-radius:.4rem;display:block}
.maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(15rem,100%),1fr));gap:1rem;margin:.8rem 0}
@media(max-width:34rem){
.lanes{grid-template-columns:minmax(0,1fr);font-size:.75rem}
.lanes .name{text-align:left}
.lanes .name:empty{display:none}
.clock{grid-column:1}
.moments,.maps{grid-template-columns:repeat(2,minmax(0,1fr));gap:.7rem}
h2{margin-top:2.4rem}
main,header{padding:0 1rem}
header{padding-top:1.5rem}
.row{grid-template-columns:minmax(0,1fr) max-content;gap:0 .6rem}
.row .interval{grid-column:1/-1;grid-row:2}
.row .scale{grid-column:1/-1}
details>*:not(summary){margin-left:.6rem;margin-right:.6rem}
}
@media print{
details{break-inside:avoid}
.skip,nav{display:none}
}
"""
