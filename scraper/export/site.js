// Search, lists of records and the map of a saved site. Data comes in scripts, since a page on a disk may load nothing else.

window.tta = (() => {
  const base = new URL(".", document.currentScript.src).href.replace(/static\/$/, "");
  const waiting = new Map();

  function load(kind, key) {
    const id = `${kind} ${key}`;
    if (!waiting.has(id)) {
      let settle;
      const promise = new Promise((resolve) => { settle = resolve; });
      waiting.set(id, { promise, settle });
      const script = document.createElement("script");
      script.src = `${base}search/${kind === "about" ? "about" : `${kind}-${key}`}.js`;
      script.onerror = () => settle(null); // no word begins so
      document.head.append(script);
    }
    return waiting.get(id).promise;
  }

  const loaded = (kind, key, value) => {
    const id = kind === "about" ? "about " : `${kind} ${key}`;
    waiting.get(id)?.settle(kind === "about" ? { count: key, ...value } : value);
  };

  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

  // Records that contain the word, or one that begins with it if it has four letters or ends with *: number -> points.
  async function found(word, about) {
    const letters = [...word.replace(/\*$/, "")].slice(0, 40);
    const begins = letters.length >= 4 || word.endsWith("*");
    const key = letters.slice(0, about.prefix).map((one) => one.codePointAt(0).toString(16)).join("-");
    const words = about.prefixes.includes(key) ? await load("words", key) : {};
    const whole = letters.join("");
    const points = new Map();
    for (const [other, steps] of Object.entries(words)) {
      if (other !== whole && !(begins && other.startsWith(whole))) continue;
      const weight = (other === whole ? 2 : 1) * Math.log(1 + about.count / steps.length);
      let at = 0;
      for (const step of steps) {
        at += step >> 1;
        points.set(at, Math.max(points.get(at) || 0, weight * (step & 1 ? 4 : 1)));
      }
    }
    return points;
  }

  // A question as nested lists: ["and", ...], ["or", ...], ["not", one], and words.
  function parse(text) {
    const tokens = text.split(/("[^"]*"?|[()]|\s+)/).filter((one) => one.trim());
    let at = 0;
    const is = (name) => tokens[at]?.toUpperCase() === name;
    function one() {
      const token = tokens[at];
      at += 1;
      if (token.toUpperCase() === "NOT") return at < tokens.length ? ["not", one()] : ["and"];
      if (token === "(") {
        const inside = any();
        at += is(")");
        return inside;
      }
      const node = token.match(/\/node\/(\d+)/); // a page's address
      const words = ["and", ...(node ? [node[1]] : plain(token).match(/[\p{L}\p{N}_]{2,}\*?/gu) || [])];
      return /^-./.test(token) ? ["not", words] : words;
    }
    function all() {
      const parts = ["and"];
      while (at < tokens.length && !is("OR") && !is(")")) {
        if (is("AND")) at += 1;
        else parts.push(one());
      }
      return parts;
    }
    function any() {
      const parts = ["or", all()];
      while (is("OR")) {
        at += 1;
        parts.push(all());
      }
      return parts;
    }
    const parts = ["and"];
    for (; at < tokens.length; at += is(")")) parts.push(any());
    return parts;
  }

  const isEmpty = (question) => Array.isArray(question) && question.slice(1).every(isEmpty);

  // The records that a question finds: { points: number -> points, isNot }; isNot: all others.
  async function answer(question, about) {
    if (!Array.isArray(question)) return { points: await found(question, about), isNot: false };
    const [operator, ...parts] = question;
    const answers = await Promise.all(parts.filter((one) => !isEmpty(one)).map((one) => answer(one, about)));
    if (operator === "not") return { points: answers[0].points, isNot: !answers[0].isNot };
    const points = new Map();
    const wanted = answers.filter((one) => !one.isNot);
    const unwanted = answers.filter((one) => one.isNot);
    const isAnd = operator === "and" && wanted.length;
    for (const one of isAnd ? wanted.slice(0, 1) : answers) {
      for (const at of one.points.keys()) {
        if (isAnd && !(wanted.every((other) => other.points.has(at)) && !unwanted.some((other) => other.points.has(at)))) continue;
        points.set(at, wanted.reduce((sum, other) => sum + (other.points.get(at) || 0), 0));
      }
    }
    return { points, isNot: !wanted.length && unwanted.length > 0 };
  }

  const compare = { exact: (a, b) => a === b, gte: (a, b) => a >= b, gt: (a, b) => a > b, lte: (a, b) => a <= b, lt: (a, b) => a < b, startswith: (a, b) => String(a).startsWith(b) };
  const like = (value, text) => (typeof value === "number" ? Number(text) : text);

  // A test of records for one condition of an address, such as fiscal_year__gte=2020; null if this site can't tell.
  function test(name, value, about) {
    const [, column, operator = "exact"] = name.match(/^(.+?)(?:__([a-z]+))?$/);
    const bit = about.columns.indexOf(column);
    if (bit < 0) return null;
    if (operator === "isnull" || operator === "notnull") return (record) => record[5][bit] === (operator === "isnull" ? "0" : "1");
    const values = about.values[column];
    if (!values) return null;
    if (value === "not known") return (record) => record[5][bit] === "0";
    const place = 6 + Object.keys(about.values).indexOf(column);
    const of = (record) => record[place];
    if (operator === "arraycontains") return (record) => (of(record) || []).some((one) => String(values[one]) === value);
    if (operator === "in") {
      const wanted = value.startsWith("[") ? JSON.parse(value).map(String) : value.split(",");
      return (record) => of(record) !== null && wanted.includes(String(values[of(record)]));
    }
    if (!compare[operator]) return null;
    return (record) => of(record) !== null && compare[operator](values[of(record)], like(values[of(record)], value));
  }

  async function all(about) {
    const parts = [];
    for (let n = 0; n * about.atOnce < about.count; n += 1) parts.push(load("records", n));
    return (await Promise.all(parts)).flat();
  }

  const columnOf = (condition) => condition.replace(/__[a-z]+$/, "");
  const facts = Object.entries(FACTS).map(([heading, [condition, isAnswer]]) => ({ heading, condition, column: columnOf(condition), isAnswer }));
  const factOf = (column) => facts.find((one) => one.column === column);
  const headingOf = (column) => factOf(column)?.heading || column[0].toUpperCase() + column.slice(1).replaceAll("_", " ");
  const shown = (column, value) => (factOf(column)?.isAnswer && value !== "not known" ? ["No", "Yes"][Number(value)] : String(value));

  // What a record has in a column, as texts.
  function valuesOf(record, column, about) {
    const numbers = [record[6 + Object.keys(about.values).indexOf(column)]].flat();
    return numbers.filter((one) => one !== null).map((one) => shown(column, about.values[column][one]));
  }

  // How many letters have to be changed, added, left out or swapped to make one word of the other.
  function distance(a, b) {
    const rows = [Array.from({ length: b.length + 1 }, (_, n) => n)];
    for (let i = 1; i <= a.length; i += 1) {
      rows.push([i]);
      for (let j = 1; j <= b.length; j += 1) {
        const steps = [rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] !== b[j - 1])];
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps.push(rows[i - 2][j - 2] + 1);
        rows[i].push(Math.min(...steps));
      }
    }
    return rows[a.length][b.length];
  }

  // The most frequent of the words that are closest to one that no record has; undefined if none is close.
  async function meant(word, about) {
    const start = word.slice(0, about.prefix);
    const near = about.prefixes.filter((key) => distance(start, String.fromCodePoint(...key.split("-").map((one) => parseInt(one, 16)))) < 2);
    const found = [];
    for (const words of await Promise.all(near.map((key) => load("words", key)))) {
      for (const [other, steps] of Object.entries(words || {})) {
        const far = Math.abs(other.length - word.length) > 2 ? 9 : distance(word, other);
        if (far <= (word.length < 6 ? 1 : 2)) found.push([far, -steps.length, other]);
      }
    }
    return found.sort((a, b) => a[0] - b[0] || a[1] - b[1])[0]?.[2];
  }

  // The records of an address, the best first: { records, problems, conditions, better }, or { numbers, get } in place of records.
  async function select(parameters) {
    const about = await load("about", "");
    const tests = [];
    const problems = [];
    const conditions = [];
    let text = "";
    for (const [name, value] of parameters) {
      if (value === "") continue;
      if (name === "q" || name === "_search") {
        conditions.push(`“${value}”`);
        text += ` ${value}`;
        if (value.includes('"')) problems.push("quotation marks: the words may be anywhere");
      } else if (!PAGING.has(name)) {
        const one = test(name, value, about);
        if (!one) {
          problems.push(`${name}=${value}`);
          continue;
        }
        tests.push(one);
        const [, column, operator] = name.match(/^(.+?)(?:__([a-z]+))?$/);
        const sign = { gte: "from ", lte: "through ", startswith: "beginning with ", isnull: "not known", notnull: "known" }[operator] ?? "";
        conditions.push(`${headingOf(column).toLowerCase()} ${sign}${/null$/.test(operator) ? "" : shown(column, value)}`);
      }
    }
    const question = parse(text.trim());
    if (isEmpty(question)) {
      const records = (await all(about)).filter((record) => tests.every((one) => one(record)));
      return { records, problems, conditions };
    }
    const { points, isNot } = await answer(question, about);
    if (isNot) problems.push("NOT without a word that must occur");
    const sorted = isNot ? [] : [...points].map(([at, sum]) => [sum, at]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    if (!sorted.length) {
      const parts = text.trim().split(/(["()]|\s+)/);
      const words = await Promise.all(parts.map(async (one) => {
        const word = plain(one.replace(/^-|\*$/g, ""));
        const isKnown = !/^[\p{L}\p{N}_]{3,}$/u.test(word) || (await found(word, about)).size;
        return isKnown ? one : (await meant(word, about)) ?? one;
      }));
      const better = words.join("") === parts.join("") ? "" : words.join("");
      return { records: [], problems, conditions, better };
    }
    const get = async (at) => (await load("records", Math.floor(at / about.atOnce)))[at % about.atOnce];
    if (!tests.length) return { numbers: sorted.map((one) => one[1]), get, problems, conditions };
    const records = (await Promise.all(sorted.map((one) => get(one[1])))).filter((record) => tests.every((one) => one(record)));
    return { records, problems, conditions };
  }

  const SHOWN = 50;
  const MOST_CHOICES = 200; // of a menu
  const PAGING = new Set(["_size", "_sort", "_sort_desc", "_next", "_nofacet", "_nocount", "_col", "_columns"]);
  const parametersOf = () => [...new URLSearchParams(location.search), ...new URLSearchParams(location.hash.slice(1))];
  const element = (name, properties, ...content) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...content);
    return made;
  };

  // The menus of the search form, and a box for each other condition of the address.
  async function addMenus(form) {
    const about = await load("about", "");
    const parameters = parametersOf().filter(([, value]) => value !== "");
    form.querySelectorAll(".tta-added").forEach((one) => one.remove());
    const last = form.querySelector("button");
    const menus = facts.filter(({ column }) => about.values[column]?.length && about.values[column].length <= MOST_CHOICES);
    for (const { heading, condition, column } of menus) {
      const chosen = parameters.find(([name]) => name === condition || name === column)?.[1] ?? "";
      const values = [...about.values[column]].sort((a, b) => (a < b ? -1 : 1)).map(String);
      const options = [["", "any"], ...values.map((one) => [one, shown(column, one)]), ["not known", "not known"]];
      const select = element("select", { name: condition }, ...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
      last.before(element("label", { className: "tta-added" }, heading, select));
    }
    for (const [name, value] of parameters) {
      if (["q", "_search"].includes(name) || menus.some((one) => one.condition === name || one.column === name) || PAGING.has(name)) continue;
      const box = element("input", { type: "checkbox", name, value, defaultChecked: true });
      last.before(element("label", { className: "tta-added" }, `${headingOf(columnOf(name))} ${name.match(/__([a-z]+)$/)?.[1] ?? ""} ${value}`, box));
    }
  }

  const csv = (rows) => `\uFEFF${rows.map((row) => row.map((one) => {
    const text = String(one ?? "");
    return typeof one === "number" ? text : `"${(/^[=+\-@\t\r]/.test(text) ? "'" : "") + text.replaceAll('"', '""')}"`;
  }).join(",")).join("\r\n")}\r\n`;

  // All records of a list as a file, with the columns that this site filters by.
  async function saveFile(result) {
    const about = await load("about", "");
    const columns = Object.keys(about.values);
    const rows = (await everything(result)).map((one) => [one[0], one[2], one[1], ...columns.map((name) => valuesOf(one, name, about).join("; ")), one[3], one[4]]);
    const text = csv([["record_id", "title", "heading", ...columns, "latitude", "longitude"], ...rows]);
    const name = ["records", ...result.conditions].join("-").replace(/[^a-z0-9]+/gi, "-").slice(0, 80);
    const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `${name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  const everything = async (result) => result.records || Promise.all(result.numbers.map(result.get));

  // Numbers of records by value, the most frequent first.
  function tally(records, column, about) {
    const counts = new Map();
    for (const record of records) {
      const values = valuesOf(record, column, about);
      for (const one of values.length ? values : ["not known"]) counts.set(one, (counts.get(one) || 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  function table(heading, rows) {
    const line = ([name, n]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, n.toLocaleString("en")));
    const head = element("thead", {}, element("tr", {}, element("th", { scope: "col" }, heading), element("th", { scope: "col" }, "Records")));
    return element("table", { className: "tta-numbers" }, head, element("tbody", {}, ...rows.map(line)));
  }

  async function counts(result) {
    const about = await load("about", "");
    const columns = ["agency", ...facts.map((one) => one.column)].filter((one) => about.values[one]);
    const menu = element("select", { ariaLabel: "Count by" }, ...columns.map((one) => new Option(headingOf(one), one)));
    const place = element("div", {});
    const fill = async () => place.replaceChildren(table(headingOf(menu.value), tally(await everything(result), menu.value, about)));
    menu.addEventListener("change", fill);
    const fold = element("details", {}, element("summary", {}, "Count these records"), element("p", { className: "tta-form" }, "By ", menu), place);
    fold.addEventListener("toggle", fill, { once: true });
    return fold;
  }

  function item(record, about) {
    const entry = document.createElement("li");
    const heading = document.createElement("h2");
    const link = document.createElement("a");
    link.href = `${base}tta/records/${tilde(record[0])}.html`;
    link.textContent = record[1];
    heading.append(link);
    entry.append(heading);
    const more = ["agency", "place_state", "fiscal_year"].filter((one) => about.values[one]).flatMap((one) => valuesOf(record, one, about));
    if (record[2] && record[2] !== record[1]) more.unshift(record[2]);
    if (more.length) entry.append(element("p", { className: "tta-small" }, more.join(", ")));
    return entry;
  }

  function tilde(id) {
    const bytes = new TextEncoder().encode(id);
    return Array.from(bytes, (byte) => {
      const char = String.fromCharCode(byte);
      if (/[A-Za-z0-9_-]/.test(char)) return char;
      return char === " " ? "+" : "~" + byte.toString(16).toUpperCase().padStart(2, "0");
    }).join("");
  }

  async function list(holder) {
    const began = performance.now();
    const parameters = parametersOf();
    const about = await load("about", "");
    const field = document.querySelector("input[name=q]");
    for (const [name, value] of parameters) if (field && (name === "q" || name === "_search")) field.value = value;
    const result = await select(parameters);
    const total = (result.records || result.numbers).length;
    const where = result.conditions.length ? ` with ${result.conditions.join(", ")}` : "";
    const found = total ? `${total.toLocaleString("en")} ${total === 1 ? "record" : "records"}${where}` : `No matches${where}. Try fewer words.`;
    const status = element("p", { role: "status" }, found);
    const hits = element("ol", { className: "tta-hits" });
    holder.replaceChildren(status, hits);
    if (result.better) {
      const others = new URLSearchParams([...parameters.filter(([name]) => name !== "q" && name !== "_search"), ["q", result.better]]);
      status.append(" Did you mean ", element("a", { href: `records.html#${others}` }, element("strong", {}, result.better)), "?");
    }
    if (total) {
      const file = element("button", { type: "button", className: "tta-copy" }, "Download CSV");
      file.addEventListener("click", () => saveFile(result));
      const map = element("a", { href: `map.html#${new URLSearchParams(parameters)}` }, "On a map");
      status.after(element("p", { className: "tta-views" }, file, map, element("a", { href: "index.html#complete" }, "How complete is this?")), await counts(result));
    }
    if (result.problems.length) {
      const note = `Not applied, because this saved site can't filter by it: ${result.problems.join(", ")}. The program can: run tta serve.`;
      holder.prepend(element("p", { className: "tta-notice" }, note));
    }
    const button = document.createElement("button");
    button.textContent = `Show ${SHOWN} more`;
    let shown = 0;
    const more = async () => {
      const until = Math.min(shown + SHOWN, total);
      const some = result.records ? result.records.slice(shown, until) : await Promise.all(result.numbers.slice(shown, until).map(result.get));
      hits.append(...some.map((one) => item(one, about)));
      shown = until;
      button.hidden = shown === total;
    };
    button.addEventListener("click", more);
    holder.append(button);
    await more();
    holder.dataset.ready = Math.round(performance.now() - began);
  }

  // What the map asks a server for: outlines are in a script, points in the files of all records. The address has the conditions.
  let chosen;
  async function fetchJson(url) {
    const about = await load("about", "");
    chosen ||= select(parametersOf());
    const result = await chosen;
    const records = await everything(result);
    const placed = records.filter((one) => one[3] !== null && one[4] !== null);
    if (!String(url).includes("states")) {
      return { rows: placed.map(([record_id, tta_title, title, latitude, longitude]) => ({ record_id, tta_title, title, latitude, longitude })) };
    }
    const rows = about.values.place_state ? tally(records, "place_state", about) : [];
    if (parametersOf().length) {
      const link = element("a", { href: `records.html${location.hash}` }, `${records.length.toLocaleString("en")} records`);
      const lacking = records.length - placed.length;
      const text = ` with ${[...result.conditions, ...result.problems.map((one) => `(not applied: ${one})`)].join(", ") }; ${lacking.toLocaleString("en")} of them have no location.`;
      document.querySelector(".tta-with-insets").previousElementSibling.replaceChildren(link, text);
      for (const other of document.querySelectorAll(".tta-views a:not([href$='#filled'])")) other.remove(); // of all records
      const most = Math.max(...rows.filter(([name]) => name !== "not known").map((one) => one[1]));
      shades = new Map(rows.map(([name, n]) => [name, ` tta-shade-${Math.ceil(5 * Math.sqrt(n / most))}`]));
    }
    const byState = element("details", { open: true }, element("summary", {}, "By state"), table("State where delivered", rows));
    document.querySelector(".tta-with-insets").after(byState);
    document.querySelector(".tta-tabs a:not([aria-current])").addEventListener("click", (event) => {
      if (!parametersOf().length) return; // the saved map of states is of all records
      event.preventDefault();
      byState.open = true;
      byState.scrollIntoView();
    });
    return window.ttaStates;
  }
  let shades = new Map();
  const shade = (name) => shades.get(name) || "";

  // What a record's page has from here: the menu, and the links of its facts and fields.
  if (document.querySelector("#citation")) {
    const wrap = (text, href) => {
      const link = document.createElement("a");
      link.href = href;
      text.replaceWith(link);
      link.append(text);
    };
    document.querySelector("header nav").insertAdjacentHTML("beforeend", MENU);
    for (const link of document.querySelectorAll(".tta-nav a")) link.href = base + link.getAttribute("href");
    for (const heading of document.querySelectorAll(".tta-facts dt")) {
      const [condition, isAnswer] = FACTS[heading.textContent] || [];
      for (let one = heading.nextElementSibling; condition && one?.tagName === "DD"; one = one.nextElementSibling) {
        const value = isAnswer ? Number(one.textContent === "Yes") : one.textContent;
        wrap(one.firstChild, `${base}records.html#${new URLSearchParams({ [condition]: value })}`);
      }
    }
    for (const one of document.querySelectorAll("[data-at]")) wrap(one.firstChild, new URL(`/${one.dataset.at}`, document.querySelector("#original").href));
  }

  // In place of a form there is a link, which needs no fold.
  for (const fold of document.querySelectorAll(".tta-fold")) if (!fold.querySelector("form")) fold.replaceWith(...fold.querySelectorAll("p"));

  // A picture or table is saved, or opened beside the page: from a disk, browsers save nothing and draw no PNG.
  for (const link of document.querySelectorAll("a[href$='.svg'], a[href$='.csv']")) {
    link.download = "";
    if (location.protocol === "file:") link.target = "_blank";
  }

  const start = () => {
    if (!/\/records\.html$/.test(location.pathname)) return; // the map needs the data only
    if (location.search) location.replace(`records.html#${new URLSearchParams(parametersOf())}`); // an address for all conditions
    document.querySelector("h1").textContent = "Records";
    const form = document.querySelector("form[role=search]");
    const help = document.querySelector("section.content > p.tta-small");
    const people = document.querySelector("meta[name=robots]") ? "" : " Names, email addresses and phone numbers of people are left out of this site.";
    help.textContent = `Finds records that contain all the words; OR, NOT, a minus and parentheses work too: (courts OR jails) -webinar. A word of four letters or more also finds longer ones: train finds training. Also: a node number, a reference or the address of a page.${people}`;
    const holder = element("div", { id: "tta-found" });
    help.after(holder);
    const renew = async () => {
      await Promise.all([addMenus(form), list(holder)]);
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      location.hash = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    });
    window.addEventListener("hashchange", renew);
    renew();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  return { loaded, fetchJson, shade };
})();
