// Draws the curves. Every point is an observation; a point without counts is a gap.
"use strict";

const INK = ["--k0", "--k1", "--k2", "--k3", "--k4", "--k5", "--k6", "--k7", "--k8", "--k9"];
const DAY = 86400;
// Indices of the columns that are not counts.
const EXACT = 6, DOCUMENT = 7, DOUBT = 8;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const grouped = (value) => value.toLocaleString("en-US", { maximumFractionDigits: value % 1 ? 2 : 0 });

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Growth of a count per day since the previous observation; null after a gap.
function perDay(xs, ys, scale) {
  return ys.map((y, i) => {
    const before = i > 0 ? ys[i - 1] : null;
    return y == null || before == null ? null : ((y - before) / (xs[i] - xs[i - 1])) * (DAY / scale);
  });
}

class Chart {
  constructor(host, data) {
    this.host = host;
    this.data = data;
    this.rate = false;
    this.log = data.log === true;
    this.metric = 1;
    this.single = data.lines.length === 1 && !data.by_age;
    this.tools = element("div", { className: "tools" });
    this.box = element("div", {});
    this.reading = element("p", { className: "reading" });
    this.hint();
    host.replaceChildren(this.tools, this.box, this.reading);
    this.buttons();
    this.draw();
    const again = () => this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    let width = host.clientWidth;
    new ResizeObserver(() => {
      if (host.clientWidth !== width) {
        width = host.clientWidth;
        this.plot.setSize(this.size());
      }
    }).observe(host);
  }

  hint() {
    const { hint, click } = this.data.texts;
    this.reading.replaceChildren(this.single ? `${hint} ${click}` : hint);
  }

  size() {
    return { width: this.host.clientWidth, height: innerWidth < 700 ? 260 : 340 };
  }

  // The counts with at least one value.
  known() {
    const seen = (n) => this.data.lines.some((line) => line.columns[n].some((value) => value != null));
    return this.data.metrics.map((metric, i) => [i + 1, metric[1]]).filter(([n]) => seen(n));
  }

  buttons() {
    const { texts } = this.data;
    const add = (label, pressed, act) => {
      const button = element("button", { type: "button", textContent: label });
      button.setAttribute("aria-pressed", String(pressed));
      button.addEventListener("click", () => {
        act();
        this.buttons();
        this.draw();
      });
      return button;
    };
    const group = (...members) => element("div", {}, ...members);
    const metrics = this.single ? [] : this.known().map(([n, label]) =>
      add(label, this.metric === n, () => { this.metric = n; }));
    this.tools.replaceChildren(
      ...(metrics.length ? [group(...metrics)] : []),
      group(
        add(texts.total, !this.rate, () => { this.rate = false; }),
        add(texts.per_day, this.rate, () => { this.rate = true; }),
      ),
      group(
        add(texts.linear, !this.log, () => { this.log = false; }),
        add(texts.log, this.log, () => { this.log = true; }),
      ),
    );
  }

  values(line, n) {
    const columns = line.columns;
    return this.rate ? perDay(columns[0], columns[n], this.data.by_age ? 3600 : 1) : columns[n];
  }

  // uPlot's table, and the labels of all columns but the first.
  table() {
    const [first] = this.data.lines;
    if (this.single) {
      const known = this.known();
      return [[first.columns[0], ...known.map(([n]) => this.values(first, n))], known.map(([, label]) => label)];
    }
    const tables = this.data.lines.map((line) => [line.columns[0], this.values(line, this.metric)]);
    // Gaps stay gaps; points of other items only are not gaps.
    return [uPlot.join(tables, tables.map(() => [0, 1])), this.data.lines.map((line) => line.name)];
  }

  // From the first observation to the last observation, missed slot or event.
  range(low, high) {
    const xs = this.plot ? this.plot.data[0] : [];
    return [low, high === xs[xs.length - 1] && this.data.until > high ? this.data.until : high];
  }

  draw() {
    const [table, labels] = this.table();
    if (this.plot) this.plot.destroy();
    const data = this.data;
    const axis = { stroke: color("--faint"), grid: { stroke: color("--soft"), width: 1 }, ticks: { stroke: color("--line"), width: 1 }, font: "12px system-ui" };
    const options = {
      ...this.size(),
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), data.zone),
      scales: { x: { time: !data.by_age, range: (_, low, high) => this.range(low, high) }, y: { distr: this.log ? 4 : 1 } },
      axes: [
        { ...axis, ...(data.by_age ? { label: data.texts.hours, labelSize: 20, labelFont: "12px system-ui" } : {
          values: [
            [31536000, "{YYYY}", null, null, null, null, null, null, 1],
            [2419200, "{MM}", "\n{YYYY}", null, null, null, null, null, 1],
            [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
            [60, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
            [1, "{HH}:{mm}:{ss}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
          ],
        }) },
        { ...axis, size: (_, ticks) => 18 + 7 * Math.max(4, ...(ticks || []).map((tick) => tick.length)), values: (_, ticks) => ticks.map((tick) => (tick == null ? "" : grouped(tick))) },
      ],
      series: [
        data.by_age
          ? { label: data.texts.hours, value: (_, x) => (x == null ? "–" : x.toFixed(1)) }
          : { label: data.zone, value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
        ...labels.map((label, i) => ({
          label, stroke: color(INK[i % INK.length]), width: 1.5, spanGaps: false,
          points: { show: table[0].length < 400, size: 4 },
          value: (_, y) => (y == null ? "–" : grouped(y)),
        })),
      ],
      cursor: { focus: { prox: 24 }, drag: { x: true, y: false } },
      focus: { alpha: 0.35 },
      hooks: { drawAxes: [(plot) => this.marks(plot)], setCursor: [(plot) => this.read(plot)] },
    };
    this.plot = new uPlot(options, table, this.box);
    this.host.dataset.drawn = String(table[0].length);
    if (this.single) this.plot.over.addEventListener("click", () => this.open());
  }

  // Events are lines, missed slots are ticks at the bottom.
  marks(plot) {
    if (this.data.by_age) return;
    const context = plot.ctx, { left, top, width, height } = plot.bbox;
    const ratio = devicePixelRatio;
    context.save();
    context.font = `${11 * ratio}px system-ui`;
    context.lineWidth = ratio;
    const inks = { gone: "--down", refused: "--down", unreadable: "--down", back: "--up", edited: "--warn" };
    let row = 0;
    for (const [at, event, label] of this.data.events.slice().reverse()) {
      const x = plot.valToPos(at, "x", true);
      if (x < left || x > left + width) continue;
      context.strokeStyle = context.fillStyle = color(inks[event] || "--faint");
      context.setLineDash([4 * ratio, 4 * ratio]);
      context.beginPath();
      context.moveTo(x, top);
      context.lineTo(x, top + height);
      context.stroke();
      const right = x > left + width - 70 * ratio;
      context.textAlign = right ? "right" : "left";
      context.fillText(label, x + (right ? -4 : 4) * ratio, top + (11 + 13 * (row++ % 3)) * ratio);
    }
    context.setLineDash([]);
    context.strokeStyle = color("--down");
    for (const [at] of this.data.missed) {
      const x = plot.valToPos(at, "x", true);
      if (x < left || x > left + width) continue;
      context.beginPath();
      context.moveTo(x, top + height - 6 * ratio);
      context.lineTo(x, top + height);
      context.stroke();
    }
    context.restore();
  }

  // The observation under the cursor.
  at(plot) {
    const index = plot.cursor.idx;
    const columns = this.data.lines[0].columns;
    return this.single && index != null && columns[DOCUMENT][index] != null ? index : null;
  }

  read(plot) {
    const index = this.at(plot);
    if (index == null) return;
    const columns = this.data.lines[0].columns, { texts } = this.data;
    const id = columns[DOCUMENT][index];
    const link = element("a", { href: `/document/${id}`, textContent: `${texts.document} #${id}` });
    const rounded = columns[EXACT][index] === false ? ` ≈ ${texts.rounded}` : "";
    const doubt = columns[DOUBT]?.[index];
    this.reading.replaceChildren(link, rounded, doubt ? ` ? ${doubt}` : "");
  }

  open() {
    const plot = this.plot, index = this.at(plot);
    // Ignore the end of a drag.
    if (index == null || plot.select.width > 2) return;
    location.assign(`/document/${this.data.lines[0].columns[DOCUMENT][index]}`);
  }
}

for (const host of document.querySelectorAll(".chart[data-series]")) {
  fetch(host.dataset.series, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((data) => {
      if (data.lines.some((line) => line.columns[0].length)) return new Chart(host, data);
      host.textContent = data.texts.nothing;
      return null;
    })
    .catch((error) => { host.textContent = `– (${error.message})`; });
}
