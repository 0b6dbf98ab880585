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
    const words = (await load("words", key)) || {};
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

  const compare = { exact: (a, b) => a === b, gte: (a, b) => a >= b, gt: (a, b) => a > b, lte: (a, b) => a <= b, lt: (a, b) => a < b };
  const like = (value, text) => (typeof value === "number" ? Number(text) : text);

  // A test of records for one condition of an address, such as fiscal_year__gte=2020; null if this site can't tell.
  function test(name, value, about) {
    const [, column, operator = "exact"] = name.match(/^(.+?)(?:__([a-z]+))?$/);
    const bit = about.columns.indexOf(column);
    if (bit < 0) return null;
    if (operator === "isnull" || operator === "notnull") return (record) => record[5][bit] === (operator === "isnull" ? "0" : "1");
    const values = about.values[column];
    if (!values) return null;
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

  // The records of an address, the best first: { records, problems, conditions }.
  async function select(parameters) {
    const about = await load("about", "");
    const tests = [];
    const problems = [];
    const conditions = [];
    let words = [];
    for (const [name, value] of parameters) {
      if (value === "") continue;
      if (name === "q" || name === "_search") words = words.concat(plain(value).match(/[\p{L}\p{N}_]{2,}\*?/gu) || []);
      else if (!name.startsWith("_")) {
        const one = test(name, value, about);
        if (one) tests.push(one);
        else problems.push(`${name}=${value}`);
        conditions.push(name.replace(/__(exact|arraycontains)$/, "").replaceAll("__", " ").replaceAll("_", " ") + ` ${value}`);
      }
    }
    if (!words.length) {
      const records = (await all(about)).filter((record) => tests.every((one) => one(record)));
      return { records, problems, conditions };
    }
    const points = await Promise.all(words.map((word) => found(word, about)));
    const hits = [...points[0].keys()].filter((at) => points.every((one) => one.has(at)));
    const sum = (at) => points.reduce((total, one) => total + one.get(at), 0);
    const sorted = hits.map((at) => [sum(at), at]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    const get = async (at) => (await load("records", Math.floor(at / about.atOnce)))[at % about.atOnce];
    if (!tests.length) return { numbers: sorted.map((one) => one[1]), get, problems, conditions };
    const records = (await Promise.all(sorted.map((one) => get(one[1])))).filter((record) => tests.every((one) => one(record)));
    return { records, problems, conditions };
  }

  const SHOWN = 50;

  function item(record) {
    const entry = document.createElement("li");
    const heading = document.createElement("h2");
    const link = document.createElement("a");
    link.href = `${base}tta/records/${tilde(record[0])}.html`;
    link.textContent = record[1];
    heading.append(link);
    entry.append(heading);
    if (record[2] && record[2] !== record[1]) {
      const more = document.createElement("p");
      more.className = "tta-small";
      more.textContent = record[2];
      entry.append(more);
    }
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
    const parameters = [...new URLSearchParams(location.search), ...new URLSearchParams(location.hash.slice(1))];
    const field = document.querySelector("input[name=q]");
    for (const [name, value] of parameters) if (field && (name === "q" || name === "_search")) field.value = value;
    const result = await select(parameters);
    const total = (result.records || result.numbers).length;
    const status = document.createElement("p");
    status.setAttribute("role", "status");
    const where = result.conditions.length ? ` with ${result.conditions.join(", ")}` : "";
    status.textContent = total ? `${total.toLocaleString("en")} ${total === 1 ? "record" : "records"}${where}` : `No matches${where}. Try fewer words.`;
    const hits = document.createElement("ol");
    hits.className = "tta-hits";
    holder.replaceChildren(status, hits);
    if (result.problems.length) {
      const note = document.createElement("p");
      note.className = "tta-notice";
      note.textContent = `Not applied, because this saved site can't filter by it: ${result.problems.join(", ")}.`;
      holder.prepend(note);
    }
    const button = document.createElement("button");
    button.textContent = `Show ${SHOWN} more`;
    let shown = 0;
    const more = async () => {
      const until = Math.min(shown + SHOWN, total);
      const some = result.records ? result.records.slice(shown, until) : await Promise.all(result.numbers.slice(shown, until).map(result.get));
      hits.append(...some.map(item));
      shown = until;
      button.hidden = shown === total;
    };
    button.addEventListener("click", more);
    holder.append(button);
    await more();
    holder.dataset.ready = Math.round(performance.now() - began);
  }

  // What the map asks a server for: outlines are in a script, points in the files of all records.
  async function fetchJson(url) {
    if (String(url).includes("states")) return window.ttaStates;
    const placed = (await all(await load("about", ""))).filter((one) => one[3] !== null && one[4] !== null);
    return { rows: placed.map(([record_id, tta_title, title, latitude, longitude]) => ({ record_id, tta_title, title, latitude, longitude })) };
  }

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

  const start = () => {
    if (!/\/records\.html$/.test(location.pathname)) return; // the map needs the data only
    const help = document.querySelector("section.content > p.tta-small");
    help.textContent = "Finds records that contain all the words. A word of four letters or more also finds longer ones: train finds training.";
    const holder = document.createElement("div");
    holder.id = "tta-found";
    help.after(holder);
    list(holder);
    window.addEventListener("hashchange", () => list(holder));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  return { loaded, fetchJson };
})();
