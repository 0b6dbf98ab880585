// Draws the records of a filter on state outlines. Data comes from this server alone; tiles only where they are configured.

const MAINLAND = [[24.5, -125], [49.5, -66.5]];
const INSETS = { Alaska: [[53, -170], [71, -130]], Hawaii: [[18.7, -160.5], [22.5, -154.6]], "Puerto Rico": [[17.6, -67.6], [18.8, -65.1]] };
const LETTER = 8; // pixels that a letter of a state's name is wide
const STATES_FROM = 5; // zoom at which states have names
const COUNTIES_FROM = 8; // zoom at which counties have names
const CELL = 24; // pixels; points in one cell of the screen are taken together first
const APART = 46; // pixels; marks nearer than that are one mark
const MOST = 100000; // points kept in memory
const LISTED = 25; // records named in a popup
const NEAR_ENOUGH = 12; // zoom at which what still shares a cell is listed
const COLUMNS = ["title", "tta_title", "fiscal_year", "longitude", "latitude", "place_state"];

function rowUrl(records, id) {
  const bytes = new TextEncoder().encode(id);
  const encoded = Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9_-]/.test(char)) return char;
    return char === " " ? "+" : "~" + byte.toString(16).toUpperCase().padStart(2, "0");
  });
  return `${records}/${encoded.join("")}${window.tta ? ".html" : ""}`; // tta: a saved site (scraper/export/site.js)
}

function firstPage(records, filters) {
  const query = new URLSearchParams(filters); // the page has removed what is no filter
  for (const column of COLUMNS) query.append("_col", column);
  query.set("latitude__notnull", "1");
  query.set("_size", "max");
  query.set("_shape", "objects");
  query.set("_sort", "record_id");
  query.set("_nofacet", "1");
  query.set("_nocount", "1");
  return `${records}.json?${query}`;
}

async function fetchJson(url) {
  if (window.tta) return window.tta.fetchJson(url);
  const answer = await fetch(url);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error || answer.statusText);
  return found;
}

async function* pages(url) {
  for (let next = url; next; ) {
    const page = await fetchJson(next);
    yield page.rows.map((row) => ({
      id: row.record_id,
      name: row.tta_title || row.title || row.record_id,
      year: row.fiscal_year,
      state: row.place_state,
      spot: [row.latitude, row.longitude],
    }));
    next = page.next_url ? new URL(page.next_url, location.href) : null;
    if (next) next = next.pathname + next.search;
  }
}

function list(records, filters, points) {
  const box = document.createElement("div");
  const items = document.createElement("ul");
  for (const point of points.slice(0, LISTED)) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = rowUrl(records, point.id);
    link.textContent = point.name;
    item.append(link, point.year ? ` (fiscal year ${point.year})` : "");
    items.append(item);
  }
  box.append(items);
  if (points.length > LISTED) {
    const more = document.createElement("a");
    const query = new URLSearchParams(filters);
    for (const [axis, name] of ["latitude", "longitude"].entries()) {
      const values = points.map((point) => point.spot[axis]);
      query.set(`${name}__gte`, values.reduce((a, b) => Math.min(a, b)));
      query.set(`${name}__lte`, values.reduce((a, b) => Math.max(a, b)));
    }
    more.href = `${records}?${query}`;
    more.textContent = `All ${points.length} as a table`;
    box.append(window.tta ? `and ${points.length - LISTED} more here` : more);
  }
  return box;
}

// Points of the view in groups that do not overlap on the screen: cells first, then the fuller ones take in their neighbours.
// Where states have names, a group is of one state.
function groups(map, points) {
  const zoom = map.getZoom();
  const of = (point) => (zoom >= STATES_FROM ? point.state : null);
  const bounds = map.getBounds().pad(0.2);
  const found = new Map();
  for (const point of points) {
    if (!bounds.contains(point.spot)) continue;
    const at = map.project(point.spot, zoom);
    const key = `${Math.floor(at.x / CELL)} ${Math.floor(at.y / CELL)} ${of(point)}`;
    if (!found.has(key)) found.set(key, { points: [], x: 0, y: 0, state: of(point) });
    const cell = found.get(key);
    cell.points.push(point);
    cell.x += at.x;
    cell.y += at.y;
  }
  const taken = [];
  for (const cell of [...found.values()].sort((a, b) => b.points.length - a.points.length)) {
    const x = cell.x / cell.points.length;
    const y = cell.y / cell.points.length;
    const near = taken.find((other) => other.state === cell.state && Math.hypot(other.x - x, other.y - y) < APART);
    if (near) near.points = near.points.concat(cell.points);
    else taken.push({ points: cell.points, x, y, state: cell.state });
  }
  return taken.map((group) => group.points);
}

function mark(L, map, records, filters, points) {
  const many = points.length > 1;
  const size = many ? Math.min(22 + 2.2 * Math.log2(points.length), APART) : 16;
  const middle = [0, 1].map((axis) => points.reduce((sum, point) => sum + point.spot[axis], 0) / points.length);
  const icon = L.divIcon({
    className: many ? "tta-mark tta-many" : "tta-mark",
    html: many ? points.length.toLocaleString("en") : "",
    iconSize: [size, size],
  });
  const name = many ? `${points.length.toLocaleString("en")} records` : points[0].name;
  const marker = L.marker(middle, { icon, title: name, keyboard: true });
  const act = () => {
    const bounds = L.latLngBounds(points.map((point) => point.spot));
    const apart = !bounds.getNorthEast().equals(bounds.getSouthWest());
    if (many && apart && map.getZoom() < NEAR_ENOUGH) {
      map.fitBounds(bounds, { padding: [40, 40], maxZoom: NEAR_ENOUGH });
    } else {
      L.popup({ maxHeight: 260 }).setLatLng(middle).setContent(list(records, filters, points)).openOn(map);
    }
  };
  marker.on("click", act);
  marker.on("keypress", (event) => event.originalEvent.key === "Enter" && act());
  marker.on("add", () => {
    const element = marker.getElement();
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", name);
  });
  return marker;
}

function plain(text) {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}

function outlines(L, map, states) {
  // Colours come from the style sheet, so that light and dark are decided in one place.
  L.geoJSON(states, { interactive: false, style: ({ properties }) => ({ className: `tta-state${window.tta ? window.tta.shade(properties.name) : ""}` }) }).addTo(map);
}

function label(L, text, spot, kind) {
  const icon = L.divIcon({ className: `tta-place tta-${kind}`, html: plain(text), iconSize: null });
  return L.marker(spot, { icon, interactive: false, keyboard: false, zIndexOffset: -10000 }); // behind the records
}

function isInside(ring, lat, lng) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [a, b] = [ring[i], ring[j]];
    if ((a.lat > lat) !== (b.lat > lat) && lng < ((b.lng - a.lng) * (lat - a.lat)) / (b.lat - a.lat) + a.lng) inside = !inside;
  }
  return inside;
}

// Where the name of a state goes: inside the part of the state that the view shows, as near to the middle of that part as possible.
// Nowhere if that part is narrower than the name.
function nameSpot(L, map, feature) {
  const view = map.getBounds();
  let best = null;
  for (const [ring] of L.GeoJSON.coordsToLatLngs(feature.geometry.coordinates, 2)) {
    const box = L.latLngBounds(ring);
    if (!box.intersects(view)) continue;
    const [south, north] = [Math.max(box.getSouth(), view.getSouth()), Math.min(box.getNorth(), view.getNorth())];
    const [west, east] = [Math.max(box.getWest(), view.getWest()), Math.min(box.getEast(), view.getEast())];
    if (map.project([south, east]).x - map.project([south, west]).x < LETTER * feature.properties.name.length) continue;
    for (let i = 1; i < 8; i++) {
      for (let j = 1; j < 8; j++) {
        const [lat, lng] = [south + ((north - south) * i) / 8, west + ((east - west) * j) / 8];
        const off = Math.hypot(i - 4, j - 4) / ((north - south) * (east - west));
        if ((!best || off < best.off) && isInside(ring, lat, lng)) best = { off, spot: L.latLng(lat, lng) };
      }
    }
  }
  return best?.spot;
}

// Names of states, and of counties once there is room for them; those of the view only.
async function placeNames(L, map, states, url) {
  const names = L.layerGroup().addTo(map);
  let counties = null;
  const show = async () => {
    if (map.getZoom() >= COUNTIES_FROM && !counties) counties = await fetchJson(url);
    const view = map.getBounds();
    const zoom = map.getZoom();
    names.clearLayers();
    const inView = (spot) => view.contains(spot);
    if (zoom >= STATES_FROM) {
      for (const state of states.features) {
        const spot = nameSpot(L, map, state);
        if (spot) label(L, state.properties.name, spot, "state-name").addTo(names);
      }
    }
    if (zoom >= COUNTIES_FROM) {
      for (const [name, ...spot] of counties) if (inView(spot)) label(L, name, spot, "county-name").addTo(names);
    }
  };
  map.on("moveend", show);
  await show();
}

// A small map of a place far from the mainland; a click moves the large one there.
function inset(L, holder, main, states, name, bounds) {
  const button = document.createElement("button");
  const box = document.createElement("span");
  const caption = document.createElement("span");
  button.type = "button";
  button.className = "tta-inset";
  button.append(box, caption);
  holder.append(button);
  const still = { zoomControl: false, attributionControl: false, dragging: false, keyboard: false, scrollWheelZoom: false };
  const map = L.map(box, { ...still, doubleClickZoom: false, boxZoom: false, touchZoom: false, tap: false, zoomSnap: 0.1 });
  const frame = L.latLngBounds(bounds);
  map.fitBounds(frame);
  outlines(L, map, states);
  const dots = L.layerGroup().addTo(map);
  button.addEventListener("click", () => main.fitBounds(bounds));
  return (points) => {
    const here = points.filter((point) => frame.contains(point.spot));
    dots.clearLayers();
    for (const group of groups(map, here)) {
      L.circleMarker(group[0].spot, { radius: 3 + Math.log2(group.length), className: "tta-dot", interactive: false }).addTo(dots);
    }
    caption.textContent = `${name}: ${here.length.toLocaleString("en")}`;
    return here.length;
  };
}

function resetButton(L, map) {
  const control = L.control({ position: map.zoomControl.options.position });
  control.onAdd = () => {
    const bar = L.DomUtil.create("div", "leaflet-bar");
    const button = L.DomUtil.create("a", "", bar);
    Object.assign(button, { href: "#", textContent: "⟲", title: "Show the mainland again" });
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", "Show the mainland again");
    L.DomEvent.on(button, "click", (event) => {
      L.DomEvent.stop(event);
      map.stop().fitBounds(MAINLAND, { animate: false });
    });
    return bar;
  };
  control.addTo(map);
}

async function draw(holder, status) {
  const { records, filters, states, tiles, tilesBy } = holder.dataset;
  const L = window.L || await import(new URL(holder.dataset.leaflet, location.href));
  const small = holder.classList.contains("tta-map-small");
  const map = L.map(holder, { maxZoom: 18, minZoom: 2, scrollWheelZoom: !small, zoomSnap: 0.5 });
  map.zoomControl.setPosition(holder.clientWidth < 600 ? "bottomleft" : "topleft"); // on a phone, over the ocean
  map.attributionControl.setPrefix(false);
  map.fitBounds(MAINLAND);
  if (tiles) {
    holder.classList.add("tta-map-tiles");
    L.tileLayer(tiles, { attribution: plain(tilesBy) }).addTo(map);
  }
  const shapes = await fetchJson(states);
  outlines(L, map, shapes);
  if (!small) {
    resetButton(L, map);
    await placeNames(L, map, shapes, holder.dataset.counties);
  }
  const strip = holder.parentElement.querySelector(".tta-insets");
  const insets = small || !strip ? [] : Object.entries(INSETS).map(([name, bounds]) => inset(L, strip, map, shapes, name, bounds));

  const points = [];
  const marks = L.layerGroup().addTo(map);
  let partly = "";
  const redraw = () => {
    marks.clearLayers();
    for (const group of groups(map, points)) mark(L, map, records, filters, group).addTo(marks);
    const inInsets = insets.reduce((sum, draw) => sum + draw(points), 0);
    const view = map.getBounds();
    const outside = points.filter((point) => !view.contains(point.spot)).length;
    const where = outside ? `${outside.toLocaleString("en")} of them outside this view` : "all of them in this view";
    const also = outside && inInsets ? ` (the small maps show ${inInsets.toLocaleString("en")}${outside > inInsets ? "; zoom out for the others" : ""})` : "";
    status.textContent = small || !points.length ? "" : `${points.length.toLocaleString("en")} record${points.length === 1 ? "" : "s"} on the map, ${where}${also}${partly}.`;
  };
  map.on("moveend", redraw);
  let view; // of the screen: paper has another shape, and what is left and right of the mainland would fill it with sea
  const resize = (width, height, zoomSnap, bounds) => {
    Object.assign(holder.style, { width, height });
    map.options.zoomSnap = zoomSnap;
    map.invalidateSize({ animate: false }).fitBounds(bounds, { animate: false });
  };
  addEventListener("beforeprint", () => {
    view = map.getBounds();
    resize(small ? "660px" : "940px", small ? "" : "500px", 0, view.contains(MAINLAND) ? MAINLAND : view);
  });
  addEventListener("afterprint", () => resize("", "", 0.5, view));
  for await (const page of pages(firstPage(records, filters))) {
    points.push(...page);
    partly = "; the map is incomplete, more records are being loaded";
    redraw();
    if (points.length >= MOST) break;
  }
  const bounds = L.latLngBounds(points.map((point) => point.spot));
  const mainland = L.latLngBounds(MAINLAND);
  const width = (one) => one.getEast() - one.getWest();
  if (points.length && (small || !mainland.intersects(bounds) || width(bounds) < width(mainland) / 3)) { // such as one state
    map.fitBounds(bounds, { padding: [30, 30], maxZoom: 6 });
  }
  partly = points.length >= MOST ? "; the rest is left out, narrow the filter" : "";
  redraw();
  holder.dataset.ready = points.length;
}

for (const holder of document.querySelectorAll(".tta-map")) {
  const status = holder.nextElementSibling;
  draw(holder, status).catch((error) => {
    holder.dataset.failed = "";
    status.textContent = `The map can't be drawn: ${error.message}`;
  });
}
