/* The duty board in the browser: layers, slider, tables, legend, print. No user text is ever
   parsed: it goes to the page through textContent alone. */
"use strict";
const DeployMap = (() => {
  const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
  const NO_VALUE = 255, NO_COLOUR = "#d3d9dd", MERGE_PX = 20, PLAY_MS = 600;
  const LOSS_DASH = "5 4", FUZZ = 1e-9;
  const state = { hour: 0, view: "plan", playing: 0, all: false };
  let map, page, areas, posts, home, roads = [];

  const byId = (id) => document.getElementById(id);
  const whole = (value) => Math.floor(value + 0.5 + FUZZ);
  const signed = (n) => (n === 0 ? "0" : n > 0 ? "+" + n : "\u2212" + -n);
  const node = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

  /* ---- shapes: whole numbers of 1e-5 degrees, moves from corner to corner ---- */
  function corners(flat, origin) {
    const out = [];
    let x = 0, y = 0;
    for (let i = 0; i < flat.length; i += 2) {
      x += flat[i];
      y += flat[i + 1];
      out.push([origin[1] + y / 1e5, origin[0] + x / 1e5]);
    }
    return out;
  }
  const polygons = (shape, origin) =>
    shape.map((rings) => rings.map((ring) => corners(ring, origin)));

  /* ---- what one hour says; the same steps as hours.py ---- */
  const points = (code) => (code === NO_VALUE ? -1 : (code + 1) >> 1);
  const share = (code) => (code === NO_VALUE ? NaN : Math.min((code + 0.5) / 200, 1));
  const cell = (area, hour) => area * page.hours + hour;
  const calls = (area, hour) => areas.calls[cell(area, hour)] * areas.step[area];
  const plan = (area, hour) => points(areas.plan[cell(area, hour)]);
  const today = (area, hour) => points(areas.today[cell(area, hour)]);
  function late(area, hour, codes) {
    const reached = share(codes[cell(area, hour)]);
    return calls(area, hour) * (1 - (Number.isNaN(reached) ? 1 : reached));
  }
  function lateWords(calls) {
    const scale = 10 ** page.lateDigits;
    return (whole(calls * scale) / scale).toFixed(page.lateDigits);
  }
  function change(area, hour) {
    const now = plan(area, hour), before = today(area, hour);
    return now < 0 || before < 0 ? null : now - before;
  }
  function hourWords(hour) {
    const ofWeek = (page.firstHour + hour) % 168;
    return DAYS[Math.floor(ofWeek / 24)] + " " + String(ofWeek % 24).padStart(2, "0") + ":00";
  }
  function callsWords(total) {
    const text = total >= 10 ? whole(total).toLocaleString("en") : (whole(total * 10) / 10).toFixed(1);
    return text + " calls";
  }
  function reachedOf(codes, hour) {
    let total = 0, reached = 0;
    for (let a = 0; a < areas.labels.length; a++) {
      const n = calls(a, hour), s = share(codes[cell(a, hour)]);
      total += n;
      reached += n * (Number.isNaN(s) ? 0 : s);
    }
    return total > 0 ? whole((100 * reached) / total) : null;
  }
  function hourSentence(hour) {
    let total = 0;
    for (let a = 0; a < areas.labels.length; a++) total += calls(a, hour);
    const start = callsWords(total) + " expected";
    if (!(total > 0)) return start + ".";
    return start + "; plan reaches " + reachedOf(areas.plan, hour) + " of 100 in time, today " +
      reachedOf(areas.today, hour) + ".";
  }

  /* ---- colour classes ---- */
  const rank = (value, breaks) => breaks.filter((edge) => value >= edge).length;
  function changeRank(value) {
    const b = page.changeBreaks;
    return value <= b[0] ? 0 : value <= b[1] ? 1 : value <= b[2] ? 2
      : value < b[3] ? 3 : value < b[4] ? 4 : value < b[5] ? 5 : 6;
  }
  function look(area, hour) {
    if (state.view === "change") {
      const moved = change(area, hour);
      if (moved === null) return "none";
      return "change" + changeRank(moved) + (moved <= page.changeBreaks[2] ? "lost" : "");
    }
    const value = state.view === "plan" ? plan(area, hour) : today(area, hour);
    return value < 0 ? "none" : "cover" + rank(value, page.coverBreaks);
  }
  function style(name) {
    const lost = name.endsWith("lost");
    const colour = name === "none" ? NO_COLOUR
      : name.startsWith("cover") ? page.coverColours[+name[5]] : page.changeColours[+name[6]];
    return {
      fillColor: colour, fillOpacity: 1, color: lost ? "#4f2003" : "#6d7880",
      weight: lost ? 1.8 : 0.8, opacity: lost ? 1 : 0.8, dashArray: lost ? LOSS_DASH : null,
    };
  }

  /* ---- the map and its layers ---- */
  function makeMap(id, options) {
    map = L.map(id, {
      preferCanvas: options.canvas, zoomSnap: 0.1, zoomDelta: 0.8, attributionControl: false,
      wheelPxPerZoomLevel: 100, zoomControl: true,
    });
    home = L.latLngBounds(options.bounds);
    const credit = "Leaflet" + (options.attribution ? " \u00b7 " + options.attribution : "");
    L.control.attribution({ prefix: false }).addAttribution(escaped(credit)).addTo(map);
    L.control.scale({ position: "bottomleft" }).addTo(map);
    for (const [name, order] of [["land", 390], ["areas", 400], ["roads", 410]]) {
      const pane = map.createPane(name);
      pane.style.zIndex = order;
      if (name !== "areas") pane.style.pointerEvents = "none";
    }
    map.getContainer().classList.add("plain");
    map.fitBounds(home, { animate: false });
    return map;
  }
  const escaped = (text) => node("span", "", text).innerHTML;
  /* ---- fit the city to the map; no area may hide under the legend ---- */
  function fit(shapes) {
    if (map.getSize().x < 500) {
      map.fitBounds(home, { padding: [10, 10], animate: false });
      return;
    }
    map.fitBounds(home, { padding: [26, 26], animate: false });
    const legend = document.querySelector(".legend");
    if (!legend || innerWidth <= 760) return;
    const frame = map.getContainer().getBoundingClientRect(), box = legend.getBoundingClientRect();
    const over = L.bounds([box.left - frame.left, box.top - frame.top - 18], [box.right - frame.left, box.bottom - frame.top]);
    const hidden = shapes.some((shape) => {
      const bounds = shape.getBounds();
      return over.overlaps(L.bounds([
        map.latLngToContainerPoint(bounds.getNorthWest()), map.latLngToContainerPoint(bounds.getSouthEast()),
      ]));
    });
    const room = { paddingTopLeft: [26, 26], paddingBottomRight: [26, legend.offsetHeight + 54], animate: false };
    if (hidden) map.fitBounds(home, room);
  }
  function settle(shapes) { // the first view, its limits, and the fit to another width
    fit(shapes);
    map.setMinZoom(map.getZoom() - 1.5);
    map.setMaxZoom(18);
    map.setMaxBounds(home.pad(1.5));
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width && !matchMedia("print").matches) fit(shapes);
      width = innerWidth;
    });
  }
  const layers = {
    land(data) {
      map.getContainer().classList.remove("plain");
      const draw = (shapes, colour, line) => shapes.map((shape) =>
        L.polygon(polygons(shape, data.origin), {
          pane: "land", interactive: false, fillColor: colour, fillOpacity: 1, color: line, weight: 1,
        }));
      return L.layerGroup([
        ...draw(data.land, "#f3f3f1", "#b5c2cb"), ...draw(data.water, "#dfe9ee", "#b5c2cb"),
      ]);
    },
    lines(data) {
      roads = data.classes.map(({ rank: order, lines }) => {
        const path = L.polyline(lines.map((line) => corners(line, data.origin)), {
          pane: "roads", interactive: false, color: "#64747f", lineJoin: "round",
        });
        return { order: Math.min(order, 2), path };
      });
      return L.layerGroup(roads.map(({ path }) => path));
    },
    areas(data) {
      const shapes = data.shapes.map((shape, area) =>
        L.polygon(polygons(shape, data.origin), { pane: "areas", className: "area-shape" })
          .bindTooltip(() => areaCard(area), { sticky: true, direction: "auto" }));
      areas = {
        ...data, shapes, plan: bytes(data.plan), today: bytes(data.today), calls: bytes(data.calls),
        looks: [],
      };
      return L.layerGroup(shapes);
    },
    posts(data) {
      posts = { ...data, plan: bytes(data.plan), today: bytes(data.today), group: L.layerGroup(), marks: [] };
      return posts.group;
    },
  };

  function areaCard(area) {
    const { hour } = state, card = node("div");
    card.append(node("b", "", areas.labels[area]));
    card.append(node("div", "", hourWords(hour) + ": " + callsWords(calls(area, hour)) + " expected"));
    const now = plan(area, hour), before = today(area, hour), moved = change(area, hour);
    const words = (value) => (value < 0 ? "no value" : value + " % in time");
    card.append(node("div", "", "Plan " + words(now) + ", today " + words(before)));
    if (moved !== null) {
      const tone = moved > 0 ? "better" : moved < 0 ? "worse" : "same";
      card.append(node("div", tone, moved === 0 ? "the same as today" : arrow(moved) + " " + signed(moved) + (Math.abs(moved) === 1 ? " point" : " points")));
    }
    return card;
  }
  const arrow = (n) => (n > 0 ? "\u25b2" : n < 0 ? "\u25bc" : "");

  function drawRoads() { // thin and pale on a small scale, so that the colours stay the message
    const near = Math.min(Math.max((map.getZoom() - 10) / 3, 0.3), 1);
    for (const { order, path } of roads) {
      path.setStyle({ weight: [2, 1.2, 0.9][order] * near, opacity: [0.7, 0.5, 0.32][order] * near });
    }
  }

  /* ---- posts: near ones become one mark with the sum ---- */
  const units = (codes, members) => members.reduce((sum, p) => sum + codes[cell(p, state.hour)], 0);
  function groupPosts() {
    const seats = posts.places.map((place) => map.latLngToLayerPoint(place));
    const busy = posts.places.map((_, p) => {
      let sum = 0;
      for (let h = 0; h < page.hours; h++) sum += posts.plan[cell(p, h)] + posts.today[cell(p, h)];
      return sum;
    });
    const groups = [];
    for (const p of busy.map((_, q) => q).sort((a, b) => busy[b] - busy[a] || a - b)) {
      const near = groups.find((g) => seats[g[0]].distanceTo(seats[p]) < MERGE_PX);
      if (near) near.push(p);
      else groups.push([p]);
    }
    const key = JSON.stringify(groups);
    if (key === posts.key) return;
    posts.key = key;
    posts.group.clearLayers();
    posts.marks = groups.map((members) => {
      const place = [0, 1].map((i) => members.reduce((s, p) => s + posts.places[p][i], 0) / members.length);
      const icon = L.divIcon({ className: "post", html: node("i"), iconSize: [24, 24] });
      const marker = L.marker(place, { icon, keyboard: true });
      marker.bindTooltip(() => postCard(members), { direction: "top", offset: [0, -12] });
      posts.group.addLayer(marker);
      return { members, marker };
    });
  }
  function postWords(members) {
    const now = units(posts.plan, members), before = units(posts.today, members);
    const value = state.view === "plan" ? now : state.view === "today" ? before : now - before;
    return { now, before, value, text: state.view === "change" ? signed(value) : String(value) };
  }
  function postCard(members) {
    const card = node("div");
    for (const p of members) {
      const { now, before } = postWords([p]);
      card.append(node("b", "", posts.names[p]));
      card.append(node("div", "", hourWords(state.hour) + ": plan " + now + ", today " + before));
    }
    return card;
  }
  function drawPosts() {
    for (const { members, marker } of posts.marks) {
      const place = marker.getElement();
      if (!place) continue;
      const { value, text } = postWords(members), size = Math.abs(value);
      const wide = value === 0 ? 24 : Math.min(38, Math.round(18 + 4.2 * Math.sqrt(size)) + (text.length > 2 ? 3 : 0));
      const names = members.map((p) => posts.names[p]).join(", ");
      place.classList.toggle("unused", value === 0);
      place.classList.toggle("fewer", value < 0);
      place.firstChild.textContent = value === 0 ? "" : text;
      Object.assign(place.style, {
        width: wide + "px", height: wide + "px", marginLeft: -wide / 2 + "px", marginTop: -wide / 2 + "px",
      });
      place.setAttribute("aria-label", text + (state.view === "change" ? " units beside today, " : " units, ") + names);
      marker.setZIndexOffset(value === 0 ? -500 : 10 * size);
    }
  }

  /* ---- tables ---- */
  function tableCell(text, name) {
    return node("td", name, text);
  }
  function bar(value) {
    const box = tableCell("", "wide"), frame = node("span", "bar"), fill = node("i");
    frame.setAttribute("aria-hidden", "true");
    fill.style.width = Math.max(value, 0) + "%";
    frame.append(fill);
    box.append(frame, value < 0 ? "\u2013" : value + " %");
    return box;
  }
  function drawWaits() {
    const body = byId("waits");
    if (!body) return;
    const { hour, view } = state, codes = view === "today" ? areas.today : areas.plan;
    let order = areas.labels.map((_, a) => a);
    const key = view === "change"
      ? (a) => calls(a, hour) * (share(areas.today[cell(a, hour)]) - share(areas.plan[cell(a, hour)]))
      : (a) => late(a, hour, codes);
    if (view === "change") order = order.filter((a) => (change(a, hour) ?? 0) <= page.changeBreaks[2]);
    const sizes = areas.labels.map((_, a) => key(a));
    order.sort((a, b) => sizes[b] - sizes[a] || a - b);
    const shown = state.all ? order : order.slice(0, page.rows);
    byId("waits-title").textContent = view === "change" ? "Who loses" : view === "today" ? "Where calls wait today" : "Where calls will wait";
    byId("waits-when").textContent = (view === "change"
      ? (order.length ? areasWords(order.length) + " below today, " : "no area is below today, ")
      : "most expected late calls, ") + hourWords(hour);
    body.closest("table").hidden = !order.length;
    byId("waits-last").textContent = view === "today" ? "plan" : "vs today";
    body.replaceChildren(...shown.map((a) => {
      const line = node("tr"), head = node("th"), name = node("button", "link", areas.labels[a]);
      const moved = change(a, hour) ?? 0;
      name.type = "button";
      name.addEventListener("click", () => showArea(a));
      head.scope = "row";
      head.append(name);
      line.append(head, tableCell(lateWords(late(a, hour, codes))),
        bar(view === "today" ? today(a, hour) : plan(a, hour)),
        tableCell(arrow(moved) + " " + signed(moved), moved > 0 ? "better" : moved < 0 ? "worse" : "same"));
      return line;
    }));
    const all = byId("all");
    if (all) {
      all.hidden = order.length <= page.rows;
      all.textContent = state.all ? "Show fewer areas" : "Show all " + areasWords(order.length);
      all.setAttribute("aria-expanded", String(state.all));
    }
  }
  const areasWords = (n) => (n === 1 ? "1 area" : n.toLocaleString("en") + " areas");
  function showArea(area) {
    const shape = areas.shapes[area];
    map.getContainer().scrollIntoView({ block: "nearest" });
    map.fitBounds(shape.getBounds().pad(1.2), { maxZoom: Math.max(home ? map.getBoundsZoom(home) + 2 : 14, 10) });
    shape.openTooltip(shape.getCenter());
  }
  function drawPostTable() {
    const body = byId("posts");
    if (!body) return;
    const rows = posts.names.map((name, p) => ({ name, p, now: units(posts.plan, [p]), before: units(posts.today, [p]) }))
      .filter((row) => row.now || row.before)
      .sort((a, b) => b.now - a.now || b.before - a.before || a.p - b.p);
    byId("posts-when").textContent = "units on duty, " + hourWords(state.hour);
    body.replaceChildren(...rows.map(({ name, now, before }) => {
      const line = node("tr"), head = node("th", "", name), moved = now - before;
      head.scope = "row";
      line.append(head, tableCell(String(now)), tableCell(String(before)),
        tableCell(signed(moved), moved > 0 ? "better" : moved < 0 ? "worse" : "same"));
      return line;
    }));
  }

  /* ---- legend ---- */
  function drawLegend() {
    const isChange = state.view === "change";
    const edges = isChange ? page.changeBreaks : page.coverBreaks;
    const colours = isChange ? page.changeColours : page.coverColours;
    byId("legend-title").textContent = isChange ? "Change, plan minus today (points)"
      : "Calls reached in time, per 100" + (state.view === "today" ? ": today" : "");
    const texts = isChange
      ? [signed(edges[0]) + " or worse", ...["", ""].map((_, i) => signed(edges[i]) + " to " + signed(edges[i + 1])),
        "about the same", "+" + edges[3] + " to +" + edges[4], "+" + edges[4] + " to +" + edges[5], "+" + edges[5] + " or better"]
      : ["under " + edges[0], ...edges.slice(1).map((edge, i) => edges[i] + "\u2013" + edge), "over " + edges[edges.length - 1]];
    byId("legend-classes").replaceChildren(...texts.map((text, i) => {
      const item = node("li", isChange && i < 3 ? "lost" : ""), swatch = node("i");
      swatch.style.background = colours[i];
      item.append(swatch, text);
      return item;
    }));
    document.querySelector(".legend .loses").hidden = !isChange;
    const pairs = isChange ? [[colours[1], "loses"], [colours[5], "gains"]] : [[colours[1], "late"], [colours[5], "in time"]];
    byId("mini").replaceChildren(...pairs.map(([colour, text]) => {
      const key = node("span"), swatch = node("i");
      swatch.style.background = colour;
      key.append(swatch, text);
      return key;
    }));
  }

  /* ---- one hour, one view ---- */
  function draw() {
    const { hour } = state;
    areas.shapes.forEach((shape, area) => {
      const name = look(area, hour);
      if (areas.looks[area] === name) return;
      shape.setStyle(style(name));
      if (name.endsWith("lost")) shape.bringToFront();
      areas.looks[area] = name;
    });
    drawPosts();
    drawWaits();
    drawPostTable();
    const slider = byId("hour"), words = hourWords(hour);
    slider.value = hour;
    slider.setAttribute("aria-valuetext", words);
    slider.style.setProperty("--at", (100 * hour) / Math.max(page.hours - 1, 1) + "%");
    const status = byId("status");
    status.firstElementChild.textContent = words;
    status.lastElementChild.textContent = hourSentence(hour);
    const now = byId("now"), x = (1000 * (hour + 0.5)) / page.hours;
    if (now) for (const end of ["x1", "x2"]) now.setAttribute(end, x);
  }
  function setHour(hour) {
    state.hour = ((hour % page.hours) + page.hours) % page.hours;
    draw();
  }
  function setView(view) {
    state.view = view;
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    }
    drawLegend();
    draw();
  }
  function play(on) {
    const button = byId("play");
    clearInterval(state.playing);
    state.playing = on ? setInterval(() => setHour(state.hour + 1), PLAY_MS) : 0;
    button.classList.toggle("on", on);
    button.setAttribute("aria-label", on ? "Pause the hours" : "Play the hours");
    byId("status").setAttribute("aria-live", on ? "off" : "polite");
    if (!on) draw();
  }

  /* ---- city time ---- */
  function cityNow(zone) {
    const parts = {};
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", hourCycle: "h23",
    });
    for (const { type, value } of format.formatToParts(new Date())) parts[type] = +value;
    return { day: Date.UTC(parts.year, parts.month - 1, parts.day) / 864e5, hour: parts.hour };
  }
  function openingHour() {
    let now;
    try {
      now = cityNow(page.zone);
    } catch {
      return page.busiest; // a browser without this zone: no claim about the time
    }
    const offset = (now.day - Date.parse(page.start + "T00:00:00Z") / 864e5) * 24 + now.hour;
    const place = byId("validity"), words = byId("validity-now");
    const span = (hours) => (hours < 48 ? hours + " h" : Math.floor(hours / 24) + " days");
    const past = offset >= page.hours;
    words.textContent = " \u00b7 " + (past ? "ended, make a new plan"
      : offset < 0 ? "starts in " + span(-offset) : "in force, " + span(page.hours - offset) + " left");
    place.classList.toggle("past", past);
    const ofWeek = ((offset % 168) + 168) % 168;
    return ofWeek < page.hours ? ofWeek : now.hour;
  }

  /* ---- a canvas does not reach the paper: draw its shapes as vectors for the print ---- */
  function drawVectors() {
    const drawn = {}, made = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
    map.eachLayer((shape) => {
      if (!(shape instanceof L.Path) || !shape._parts) return;
      const { pane, fill, fillColor, color, weight, opacity, dashArray } = shape.options;
      drawn[pane] ??= map.getPane(pane).appendChild(made("svg"));
      const path = drawn[pane].appendChild(made("path"));
      const look = {
        d: L.SVG.pointsToPath(shape._parts, Boolean(fill)), fill: fill ? fillColor : "none",
        "fill-rule": "evenodd", stroke: color, "stroke-width": weight, "stroke-opacity": opacity,
      };
      if (dashArray) look["stroke-dasharray"] = dashArray;
      for (const [name, value] of Object.entries(look)) path.setAttribute(name, value);
    });
    for (const svg of Object.values(drawn)) svg.classList.add("vectors");
    return Object.values(drawn);
  }

  /* ---- print: fit the map to the paper box, then back ---- */
  function bindPrint(stop) {
    let before = null;
    addEventListener("beforeprint", () => {
      stop();
      before = { centre: map.getCenter(), zoom: map.getZoom() };
      Object.assign(map.getContainer().style, { width: "382px", height: "454px", inset: "auto" });
      map.invalidateSize({ pan: false, animate: false });
      map.fitBounds(home, { paddingTopLeft: [8, 8], paddingBottomRight: [8, 50], animate: false });
      before.vectors = map.options.preferCanvas ? drawVectors() : [];
    });
    addEventListener("afterprint", () => {
      if (!before) return;
      for (const svg of before.vectors) svg.remove();
      Object.assign(map.getContainer().style, { width: "", height: "", inset: "" });
      map.invalidateSize({ pan: false, animate: false });
      map.setView(before.centre, before.zoom, { animate: false });
      before = null;
    });
  }

  function start(settings) {
    page = settings;
    const slider = byId("hour");
    const asked = new URLSearchParams(location.hash.slice(1));
    const opening = openingHour();
    const hour = asked.has("hour") && Number.isInteger(+asked.get("hour")) ? +asked.get("hour") : opening;
    state.hour = ((hour % page.hours) + page.hours) % page.hours;
    setView(["plan", "today", "change"].includes(asked.get("view")) ? asked.get("view") : "plan");
    settle(areas.shapes);
    const drawScale = () => {
      groupPosts();
      drawPosts();
      drawRoads();
    };
    drawScale();
    map.on("zoomend", drawScale);
    posts.group.on("add", drawPosts);
    slider.addEventListener("input", () => setHour(+slider.value));
    slider.addEventListener("keydown", (event) => {
      const step = { PageUp: 24, PageDown: -24 }[event.key];
      if (step) setHour(state.hour + step);
      else if (event.key === " ") play(!state.playing);
      else return;
      event.preventDefault();
    });
    byId("play").addEventListener("click", () => play(!state.playing));
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => setView(button.dataset.view));
    }
    byId("all")?.addEventListener("click", () => {
      state.all = !state.all;
      drawWaits();
    });
    bindPrint(() => play(false));
  }

  return {
    map: makeMap,
    layer: (onMap, kind, data) => layers[kind](data).addTo(onMap),
    start,
    /* for tests and the curious */
    count: () => areas.shapes.length,
    /* for other pages with a map */
    tools: { layers, byId, node, corners, polygons, settle, drawRoads, bindPrint },
  };
})();
