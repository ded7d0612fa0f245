
"use strict";
(() => {
  const all = (what) => Array.from(document.querySelectorAll(what));
  const by = (id) => document.getElementById(id);
  const trace = JSON.parse(by("trace").dataset.trace);
  const slider = by("step");
  const last = trace.steps.length;

  const line = (text, kind) => {
    const div = document.createElement("div");
    div.textContent = text;
    if (kind) div.className = kind;
    return div;
  };

  // The lines of every replica after a step, and how they differ from the step before.
  const replicas = (step) => {
    const states = trace.boot.map((state) => state);
    for (const one of trace.steps.slice(0, step)) states[one.node] = one.state;
    const now = step > 0 ? trace.steps[step - 1] : null;
    let before = null;
    if (now) {
      before = trace.boot[now.node];
      for (const one of trace.steps.slice(0, step - 1)) {
        if (one.node === now.node) before = one.state;
      }
    }
    by("replicas").replaceChildren(...states.map((state, node) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = `n${node + 1}`;
      const cell = document.createElement("td");
      const here = now && now.node === node;
      for (const text of state) {
        const isNew = here && !before.includes(text);
        cell.append(line(isNew ? `+ ${text}` : text, isNew ? "new" : ""));
      }
      if (state.length === 0) cell.append(line("holds nothing"));
      if (here) {
        row.className = "at";
        for (const text of now.gone) cell.append(line(`− ${text}`, "gone"));
      }
      row.append(name, cell);
      return row;
    }));
  };

  const show = (step, scroll) => {
    slider.value = step;
    by("number").textContent = `${step} of ${last}`;
    by("said").textContent = step > 0
      ? trace.steps[step - 1].said.join(" · ") : "all nodes have started";
    by("status").textContent = trace.status[step] || "";
    replicas(step);
    for (const one of all("[data-step]")) {
      one.classList.toggle("at", Number(one.dataset.step) === step);
    }
    if (scroll) {
      const row = document.querySelector(`svg [data-step="${step}"] .hit`);
      if (row) row.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  };

  const go = (step) => {
    const to = Math.min(last, Math.max(0, step));
    show(to, true);
    history.replaceState(null, "", `#step=${to}`);
  };

  const asked = () => {
    const found = /^#step=(\d+)$/.exec(location.hash);
    return found ? Math.min(last, Number(found[1])) : null;
  };

  slider.addEventListener("input", () => go(Number(slider.value)));
  by("back").addEventListener("click", () => go(Number(slider.value) - 1));
  by("on").addEventListener("click", () => go(Number(slider.value) + 1));
  for (const one of all("svg [data-step]")) {
    one.addEventListener("click", (event) => {
      event.preventDefault();
      go(Number(one.dataset.step));
    });
  }
  document.addEventListener("keydown", (event) => {
    const tag = event.target.tagName;
    if (event.altKey || event.ctrlKey || event.metaKey || tag === "INPUT" || tag === "PRE") return;
    const to = { ArrowLeft: Number(slider.value) - 1, ArrowRight: Number(slider.value) + 1,
      Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  });
  addEventListener("hashchange", () => { if (asked() !== null) show(asked(), false); });

  // An operation lights up wherever it has a part. A click keeps it lit.
  let pinned = null;
  const light = (op) => {
    for (const one of all("[data-ops]")) {
      one.classList.toggle("lit", op !== null && one.dataset.ops.split(" ").includes(op));
    }
  };
  for (const button of all("button[data-op]")) {
    const op = button.dataset.op;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("mouseenter", () => light(op));
    button.addEventListener("mouseleave", () => light(pinned));
    button.addEventListener("focus", () => light(op));
    button.addEventListener("blur", () => light(pinned));
    button.addEventListener("click", () => {
      pinned = pinned === op ? null : op;
      for (const one of all("button[data-op]")) {
        one.setAttribute("aria-pressed", String(one.dataset.op === pinned));
      }
      light(pinned);
      const row = document.querySelector("svg .lit .hit");
      if (row && pinned !== null) row.scrollIntoView({ block: "nearest" });
    });
  }

  show(asked() ?? last, false);
})();
