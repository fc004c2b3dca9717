"use strict";
// What a page without a script cannot do: details of a pair, tooltips, arrow keys, filters, copying questions.
(() => {
  const WORDS = ["pass", "conditional", "unknown", "fail"];
  const MARKS = ["●", "◐", "?", "✕"];
  const TITLES = ["Passes", "Conditional: what to do", "Unknown: what to ask", "Fails"];
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  let parsed = null;
  const data = () => (parsed ??= JSON.parse(byId("data").textContent));

  function make(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  }

  // A finding: verdict, then numbers of texts in the order of the record.
  function finding(number) {
    const [verdict, ...rest] = data().findings[number];
    const [check, title, standard, status, offered, required, margin, unit, reason, action, missing] =
      rest.map((text) => data().texts[text]);
    return { verdict, check, title, standard, status, offered, required, margin, unit, reason, action, missing };
  }

  // --- details of a pair ---

  const dialog = byId("detail");

  function value(label, text) {
    return text ? make("div", "", make("dt", "", label), make("dd", "", text)) : null;
  }

  function withUnit(text, unit) {
    return text && unit ? `${text}\u202f${unit}` : text;
  }

  function drawFinding(item) {
    const values = make(
      "dl",
      "values",
      value("offered", withUnit(item.offered, item.unit)),
      value("required", withUnit(item.required, item.unit)),
      value("margin", item.margin),
    );
    const told = item.missing.split(", ").every((field) => item.reason.includes(field));
    const origin = [item.standard && `Rule: ${item.standard}`, item.status && `rests on ${item.status} values`];
    return make(
      "article",
      `finding v-${WORDS[item.verdict]}`,
      make("h4", "", make("span", "check", item.check), ` ${item.title}`),
      make("p", "", item.reason),
      item.action && item.verdict ? make("p", "do", item.action) : null,
      values.childElementCount ? values : null,
      told ? null : make("p", "origin", "Not stated: ", make("code", "", item.missing)),
      make("p", "origin", origin.filter(Boolean).join("; ")),
    );
  }

  function drawGroup(verdict, items) {
    const heading = `${MARKS[verdict]} ${TITLES[verdict]} (${items.length})`;
    const drawn = items.map(drawFinding);
    if (verdict > 0) return make("section", "", make("h3", `t-${WORDS[verdict]}`, heading), ...drawn);
    return make("details", "passes", make("summary", "t-pass", heading), ...drawn);
  }

  function drawPair(number) {
    const [title, subtitle, verdict, facts, findings] = data().pairs[number];
    const text = (index) => data().texts[index];
    const items = findings.map(finding);
    const list = make("dl", "facts");
    for (let index = 0; index < facts.length; index += 2) {
      list.append(make("dt", "", text(facts[index])), make("dd", "", text(facts[index + 1])));
    }
    const heading = make("h2", "", text(title));
    heading.id = "detail-title";
    const groups = [3, 2, 1, 0]
      .map((rank) => [rank, items.filter((item) => item.verdict === rank)])
      .filter(([, group]) => group.length);
    const body = byId("detail-body");
    body.replaceChildren(
      heading,
      make("p", "id", text(subtitle)),
      make("p", "", make("span", `chip v-${WORDS[verdict]}`, `${MARKS[verdict]} ${WORDS[verdict]}`)),
      list,
      ...groups.map(([rank, group]) => drawGroup(rank, group)),
    );
    if (groups.length === 1) all("details", body).forEach((details) => (details.open = true));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-pair]");
    if (!button) return;
    hideTip();
    drawPair(Number(button.dataset.pair));
    dialog.showModal();
    dialog.scrollTop = 0;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && event.clientX < dialog.getBoundingClientRect().left) dialog.close();
  });

  // --- tooltips: at once, and for the keyboard too ---

  const tip = byId("tip");
  let owner = null;
  for (const node of all("button[data-pair], td[title], .use[title], span[title], th[title]")) {
    node.dataset.tip = node.title;
    node.removeAttribute("title");
  }

  function showTip(node) {
    owner = node;
    tip.textContent = node.dataset.tip;
    tip.hidden = false;
    node.setAttribute("aria-describedby", "tip");
    const box = node.getBoundingClientRect();
    const below = box.bottom + 8 + tip.offsetHeight < innerHeight;
    tip.style.top = `${Math.max(4, below ? box.bottom + 8 : box.top - 8 - tip.offsetHeight)}px`;
    tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
  }

  function hideTip() {
    tip.hidden = true;
  }

  const canHover = matchMedia("(hover: hover)");
  document.addEventListener("pointerover", (event) => {
    const node = event.target.closest?.("[data-tip]");
    if (node && canHover.matches && event.pointerType === "mouse") showTip(node);
    else hideTip();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("button[data-tip]:focus-visible") && !dialog.open) showTip(event.target);
    else hideTip();
  });
  // Scrolling to a cell that the keys reached moves its tooltip along; any other scrolling hides it.
  document.addEventListener(
    "scroll",
    () => (!tip.hidden && owner === document.activeElement ? showTip(owner) : hideTip()),
    { capture: true, passive: true },
  );
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  // A tap on a figure shows what a mouse sees on hovering; cells of a matrix open their details instead.
  document.addEventListener("pointerup", (event) => {
    const node = event.target.closest("[data-tip]");
    if (event.pointerType !== "mouse" && node && !event.target.closest("button")) setTimeout(showTip, 0, node);
  });

  // --- arrow keys in a matrix: one stop for the tab key ---

  for (const table of all("table.matrix")) {
    const rows = all("tbody tr:not(.maker)", table).map((row) => all("button", row));
    const buttons = rows.flat();
    buttons.forEach((button, index) => (button.tabIndex = index ? -1 : 0));
    table.addEventListener("focusin", (event) => {
      if (!event.target.matches("button")) return;
      buttons.forEach((button) => (button.tabIndex = button === event.target ? 0 : -1));
    });
    table.addEventListener("keydown", (event) => {
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      const shown = rows.filter((cells) => cells[0]?.offsetParent);
      const row = shown.findIndex((cells) => cells.includes(event.target));
      if (!step || row < 0) return;
      event.preventDefault();
      shown[row + step[0]]?.[shown[row].indexOf(event.target) + step[1]]?.focus();
    });
  }

  // --- filters, and the matrix of one check ---

  const tools = document.querySelector(".tools");
  function filter() {
    const maker = tools.elements.maker.value;
    const shown = new Set(all("input:checked", tools).map((input) => input.value));
    all("tbody[data-maker]").forEach((body) => (body.hidden = Boolean(maker) && body.dataset.maker !== maker));
    all("td[data-verdict]").forEach((cell) => cell.classList.toggle("dim", !shown.has(cell.dataset.verdict)));
  }

  function showVerdict(cell, word, content, reason) {
    cell.classList.remove(...WORDS.map((each) => `v-${each}`));
    if (word) cell.classList.add(`v-${word}`);
    cell.dataset.verdict = word;
    const button = cell.firstElementChild;
    button.firstElementChild.replaceChildren(...content);
    button.lastElementChild.textContent = word || "not checked";
    button.dataset.tip = reason;
  }

  function showCheck(select) {
    for (const cell of all(`table[data-matrix="${select.dataset.matrix}"] td[data-verdict]`)) {
      const button = cell.firstElementChild;
      cell.whole ??= [cell.dataset.verdict, [...button.firstElementChild.childNodes], button.dataset.tip];
      if (!select.value) {
        showVerdict(cell, ...cell.whole);
        continue;
      }
      const found = data().pairs[button.dataset.pair][4].map(finding).find((item) => item.check === select.value);
      const reason = found ? `${found.check} ${found.title}: ${found.reason}` : "This check was not made.";
      showVerdict(cell, found ? WORDS[found.verdict] : "", [found ? MARKS[found.verdict] : "·"], reason);
    }
    if (tools) filter();
  }

  if (tools) {
    tools.hidden = false;
    tools.addEventListener("change", filter);
    tools.addEventListener("submit", (event) => event.preventDefault());
  }
  all(".hint").forEach((hint) => (hint.hidden = false));
  all(".by-check").forEach((select) => select.addEventListener("change", () => showCheck(select)));

  // --- questions as text ---

  function letter(asked) {
    const lines = [`To: ${asked.dataset.ask}`, `Subject: ${document.title}: values that are not stated`, ""];
    for (const table of all("table", asked)) {
      lines.push(`${table.dataset.name} (answers go into ${table.dataset.place})`);
      for (const row of all("tbody tr", table)) {
        const [question, field, checks, pairs] = [...row.cells].map((cell) => cell.textContent.trim());
        lines.push(`- ${question}: key ${field}; checks ${checks}; pairs waiting: ${pairs}`);
      }
      lines.push("");
    }
    return lines.join("\n");
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", "vh");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  for (const button of all(".copy")) {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await copy(letter(button.closest(".asked")));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 1500);
    });
  }
})();
