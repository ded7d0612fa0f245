
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const data = by("data");
  if (!data) return;
  const bytes = (name) => {
    const text = atob(data.dataset[name]);
    const all = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) all[at] = text.charCodeAt(at);
    delete data.dataset[name];
    return all;
  };
  const starts = new Uint32Array(bytes("starts").buffer);
  const ends = new Uint32Array(bytes("ends").buffer);
  const process = new Uint32Array(bytes("process").buffer);
  const node = new Uint16Array(bytes("node").buffer);
  const key = new Uint32Array(bytes("key").buffer);
  const call = new Uint16Array(bytes("call").buffer);
  const kind = bytes("kind");
  const about = JSON.parse(data.dataset.all);
  const OPEN = 0xffffffff;
  const span = Math.max(1, about.span / about.unit);
  const SVG = by("timeline").namespaceURI;
  const KINDS = ["read", "write", "call"];
  const LEFT = 110, HEAD = 26, MOST = 3000;

  let view = [0, span], lanes = [], laneOf = () => -1, names = [], lane = 18, shown = new Set(), filters = [];

  const nanos = (units) => {
    const time = units * about.unit;
    for (const [scale, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (time >= scale) return `${+(time / scale).toPrecision(4)} ${unit}`;
    }
    return `${Math.round(time)} ns`;
  };

  // What filters ask of an operation.
  const PARTS = {
    key: (at) => about.keys[key[at]],
    process: (at) => about.processes[process[at]],
    node: (at) => node[at] ? `n${node[at]}` : "no node",
    call: (at) => about.calls[call[at]],
    outcome: (at) => ["ok", "failed", "unknown"][Math.floor(kind[at] / 3)],
  };
  const any = (part, test) => {
    for (let at = 0; at < about.count; at += 1) if (test(PARTS[part](at))) return true;
    return false;
  };

  // Whether the filters keep an operation: it is one of those named, part by part, and none
  // of those to hide. What a violation is made of is never hidden.
  const keeper = () => {
    const sets = (way) => {
      const all = new Map();
      for (const one of filters.filter((it) => it.way === way)) {
        if (!all.has(one.part)) all.set(one.part, new Set());
        all.get(one.part).add(one.name);
      }
      return [...all].map(([part, some]) => (at) => some.has(PARTS[part](at)));
    };
    const only = sets("only"), hide = sets("hide");
    return (at) => shown.has(at) || (only.every((is) => is(at)) && !hide.some((is) => is(at)));
  };

  // Operations by lane, each in order of its start.
  const group = () => {
    const own = by("lanes").value === "node" ? node : process;
    const keeps = keeper();
    const all = new Map();
    let hidden = 0;
    for (let at = 0; at < about.count; at += 1) {
      if (!keeps(at)) { hidden += 1; continue; }
      let list = all.get(own[at]);
      if (!list) all.set(own[at], list = []);
      list.push(at);
    }
    const order = [...all.keys()].sort((a, b) => a - b);
    const place = new Map(order.map((one, nth) => [one, nth]));
    laneOf = (at) => place.get(own[at]);
    lanes = order.map((one) => Uint32Array.from(all.get(one)).sort((a, b) => starts[a] - starts[b]));
    names = lanes.map((list) => PARTS[by("lanes").value](list[0]));
    lane = Math.max(5, Math.min(22, Math.floor(560 / Math.max(1, lanes.length))));
    return hidden;
  };

  // The first of a lane that starts at this time or later.
  const first = (list, time) => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[list[middle]] < time) low = middle + 1; else high = middle;
    }
    return low;
  };

  const cut = (name) => name.length > 14 ? `${name.slice(0, 13)}…` : name;
  const make = (name, attributes, text) => {
    const one = document.createElementNS(SVG, name);
    for (const [what, value] of Object.entries(attributes)) one.setAttribute(what, value);
    if (text !== undefined) one.textContent = text;
    return one;
  };

  const told = (at) => {
    const word = about.words[at];
    return word === undefined ? `${PARTS.call(at)} of ${PARTS.key(at)}` : word;
  };

  const describe = (at) => {
    const end = ends[at] === OPEN ? "no answer" : `answered after ${nanos(ends[at] - starts[at])}`;
    const line = about.lines[at];
    const where = node[at] ? ` at ${PARTS.node(at)}` : "";
    by("picked").textContent = `process ${PARTS.process(at)}: ${told(at)}${where}, ` +
      `asked at ${nanos(starts[at])}, ${end}` + (line === undefined ? "" : ` (${about.place} ${line})`);
  };

  let hidden = 0;
  const draw = () => {
    const frame = by("frame");
    const width = Math.max(320, frame.clientWidth - 2);
    const room = width - LEFT - 8;
    const height = HEAD + lanes.length * lane + 22;
    const scale = room / (view[1] - view[0]);
    const x = (time) => LEFT + (Math.min(view[1], Math.max(view[0], time)) - view[0]) * scale;
    const svg = by("timeline");
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const parts = [];
    about.marks.forEach(([time, did], nth) => {
      const until = nth + 1 < about.marks.length ? about.marks[nth + 1][0] : span;
      if (until < view[0] || time > view[1]) return;
      const band = make("rect", { class: `mark m${nth % 2}`, x: x(time), y: HEAD,
        width: Math.max(1, x(until) - x(time)), height: lanes.length * lane });
      band.append(make("title", {}, did));
      parts.push(band);
      if (x(until) - x(time) > 40) parts.push(make("text", { class: "mark", x: x(time) + 3, y: HEAD - 4 }, did));
    });
    const ranges = lanes.map((list) => {
      let from = first(list, view[0]);
      // An operation that began before may reach into the view.
      for (let back = 0; from > 0 && back < 64; back += 1) {
        const end = ends[list[from - 1]];
        if (end !== OPEN && end < view[0]) break;
        from -= 1;
      }
      return [from, first(list, view[1] + 1)];
    });
    const visible = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    const far = visible > MOST;
    const counted = far ? ranges.map(([from, to], nth) => {
      const bins = new Uint32Array(Math.ceil(room / 3) + 1);
      for (let place = from; place < to; place += 1) {
        const at = lanes[nth][place];
        if (starts[at] >= view[0]) bins[Math.floor((starts[at] - view[0]) * scale / 3)] += 1;
      }
      return bins;
    }) : [];
    const most = counted.reduce((max, bins) => bins.reduce((a, b) => Math.max(a, b), max), 1);
    lanes.forEach((list, nth) => {
      const y = HEAD + nth * lane;
      parts.push(make("line", { class: "lane", x1: LEFT, x2: width - 8, y1: y + lane / 2, y2: y + lane / 2 }));
      if (lane >= 11) parts.push(make("text", { class: "name", x: LEFT - 6, y: y + lane / 2 + 4 }, cut(names[nth])));
      const [from, to] = ranges[nth];
      if (far) {
        const ways = ["", "", "", ""];
        counted[nth].forEach((many, bin) => {
          if (many === 0) return;
          const level = Math.min(3, Math.floor(4 * many / most));
          ways[level] += `M${LEFT + bin * 3} ${y + 1}h3v${lane - 2}h-3z`;
        });
        ways.forEach((way, level) => { if (way) parts.push(make("path", { class: `many d${level}`, d: way })); });
      } else {
        for (let place = from; place < to; place += 1) {
          const at = list[place];
          const end = ends[at] === OPEN ? view[1] : ends[at];
          const wide = Math.max(2, x(end) - x(starts[at]));
          const state = ["", " failed", " open"][Math.floor(kind[at] / 3)];
          const box = make("rect", { class: `op ${KINDS[kind[at] % 3]}${state}`, "data-at": at,
            x: x(starts[at]), y: y + 1, width: wide, height: lane - 2 });
          box.append(make("title", {}, told(at)));
          parts.push(box);
          if (wide > 70 && lane >= 14) {
            parts.push(make("text", { class: "word", x: x(starts[at]) + 3, y: y + lane / 2 + 4 },
              told(at).slice(0, Math.floor(wide / 7))));
          }
        }
      }
    });
    // What is shown stands out, near and far.
    for (const at of shown) {
      const nth = laneOf(at);
      if (starts[at] > view[1] || (ends[at] !== OPEN && ends[at] < view[0])) continue;
      const y = HEAD + nth * lane;
      const end = ends[at] === OPEN ? view[1] : ends[at];
      parts.push(make("rect", { class: "shown", "data-at": at, x: x(starts[at]) - 2, y: y - 1,
        width: Math.max(6, x(end) - x(starts[at]) + 4), height: lane + 2 }));
    }
    for (let part = 0; part <= 4; part += 1) {
      const time = view[0] + (view[1] - view[0]) * part / 4;
      parts.push(make("text", { class: "tick", x: x(time), y: height - 6,
        "text-anchor": part === 0 ? "start" : part === 4 ? "end" : "middle" }, nanos(time)));
    }
    svg.replaceChildren(...parts);
    const count = visible.toLocaleString("en");
    by("view").textContent = (far ? `${count} operations in view: darker where there are more`
      : `${count} operations in view`) + (hidden > 0 ? `, ${hidden.toLocaleString("en")} hidden by filters` : "");
  };

  const to = (from, until) => {
    let size = Math.min(span, Math.max(2, until - from));
    const start = Math.min(span - size, Math.max(0, from));
    view = [start, start + size];
    draw();
  };
  const zoom = (factor, middle) => {
    const size = (view[1] - view[0]) * factor;
    const part = (middle - view[0]) / (view[1] - view[0]);
    to(middle - size * part, middle - size * part + size);
  };
  const move = (part) => {
    const by = (view[1] - view[0]) * part;
    to(view[0] + by, view[1] + by);
  };
  const center = () => (view[0] + view[1]) / 2;
  const actions = {
    in: () => zoom(0.5, center()), out: () => zoom(2, center()),
    left: () => move(-0.5), right: () => move(0.5), whole: () => to(0, span),
  };
  for (const [id, action] of Object.entries(actions)) by(id).addEventListener("click", action);
  by("frame").addEventListener("keydown", (event) => {
    const action = { "+": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", "0": "whole" }[event.key];
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });
  const time = (event) => {
    const box = by("timeline").getBoundingClientRect();
    const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - 8);
    return view[0] + Math.min(1, Math.max(0, part)) * (view[1] - view[0]);
  };
  by("timeline").addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.3 : 1 / 1.3, time(event));
  }, { passive: false });
  let held = null;
  by("timeline").addEventListener("pointerdown", (event) => { held = [event.clientX, ...view]; });
  addEventListener("pointerup", () => { held = null; });
  by("timeline").addEventListener("pointermove", (event) => {
    const at = event.target.dataset.at;
    if (at !== undefined) describe(Number(at));
    if (!held) return;
    const by_ = (held[0] - event.clientX) / (by("timeline").clientWidth - LEFT - 8) * (held[2] - held[1]);
    to(held[1] + by_, held[2] + by_);
  });
  const regroup = () => { hidden = group(); draw(); };
  by("lanes").addEventListener("change", regroup);
  // The names that may be typed: the first of them, where there are many.
  const offer = () => {
    const names = new Set();
    const part = PARTS[by("part").value];
    for (let at = 0; at < about.count && names.size < 50; at += 1) names.add(part(at));
    by("names").replaceChildren(...[...names].sort().map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    }));
  };
  const list = () => {
    by("filters").replaceChildren(...filters.map((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const said = `${one.way === "only" ? "show only" : "hide"} ${one.part} ${one.name}`;
      button.type = "button";
      button.textContent = "remove";
      button.setAttribute("aria-label", `remove: ${said}`);
      button.addEventListener("click", () => {
        filters = filters.filter((it) => it !== one);
        list();
        regroup();
        by("name").focus();
      });
      item.append(`${said} `, button);
      return item;
    }));
  };
  const add = () => {
    const [way, part, name] = ["way", "part", "name"].map((id) => by(id).value);
    const known = any(part, (it) => it === name);
    by("refused").textContent = known ? "" : `no operation has the ${part} "${name}"`;
    if (!known) return;
    filters = filters.filter((it) => it.part !== part || it.name !== name);
    filters.push({ way, part, name });
    by("name").value = "";
    list();
    regroup();
  };
  by("part").addEventListener("change", () => { by("name").value = ""; offer(); });
  by("add").addEventListener("click", add);
  by("name").addEventListener("keydown", (event) => { if (event.key === "Enter") add(); });
  for (const button of document.querySelectorAll("button[data-show]")) {
    button.addEventListener("click", () => {
      const all = button.dataset.show.split(" ").map(Number);
      shown = new Set(all);
      if (filters.length > 0) hidden = group();
      const from = Math.min(...all.map((at) => starts[at]));
      const until = Math.max(...all.map((at) => ends[at] === OPEN ? starts[at] : ends[at]));
      const margin = Math.max(1, (until - from) * 0.1);
      to(from - margin, until + margin);
      describe(all[all.length - 1]);
      by("timeline").scrollIntoView({ block: "center" });
    });
  }
  addEventListener("resize", draw);
  offer();
  regroup();
})();
