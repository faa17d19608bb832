/* Districts on the map: plan, today, change, shifts. User text goes to the page through
   textContent alone. */
"use strict";
(() => {
  const { layers, byId, node, corners, polygons, settle, drawRoads, bindPrint } = DeployMap.tools;
  const NO_COLOUR = "#d3d9dd", INK = "#16222c", WAS = "#8f3a05";
  const NARROW_PX = 620;
  let map, data, shapes, hatches, edges, tags;

  layers.areas = (given) => {
    data = given;
    shapes = data.shapes.map((shape, area) =>
      L.polygon(polygons(shape, data.origin), { pane: "areas", className: "area-shape" })
        .bindTooltip(() => card(area), { sticky: true, direction: "auto" }));
    hatches = L.layerGroup();
    edges = L.layerGroup();
    tags = L.layerGroup();
    return L.layerGroup([...shapes, hatches, edges, tags]);
  };

  function card(area) {
    const box = node("div"), [name, ...lines] = data.cards[area];
    box.append(node("b", "", name), ...lines.map((line) => node("div", "", line)));
    return box;
  }

  /* ---- one view ---- */
  function draw(view) {
    const moved = new Set(data.moved);
    shapes.forEach((shape, area) => {
      const district = view.district[area], stays = view.pale && !moved.has(area);
      shape.setStyle({
        fillColor: district < 0 ? NO_COLOUR : data.colours[district], fillOpacity: stays ? 0.3 : 1,
        color: "#6d7880", weight: 0.7, opacity: 0.8,
      });
    });
    const line = (lines, style) => L.polyline(lines.map((one) => corners(one, data.origin)), {
      pane: "edges", interactive: false, lineJoin: "round", ...style,
    });
    hatches.clearLayers();
    edges.clearLayers();
    tags.clearLayers();
    for (const area of view.hatched ? data.moved : []) {
      hatches.addLayer(L.polygon(polygons(data.shapes[area], data.origin), {
        pane: "hatch", interactive: false, className: "hatch", fill: !map.options.preferCanvas,
        fillOpacity: 1, color: INK, weight: map.options.preferCanvas ? 2.4 : 1.6, // a canvas knows no pattern
      }));
    }
    edges.addLayer(line(view.under, { color: "#fff", weight: 4.4, opacity: 0.85 }));
    edges.addLayer(line(view.under, { color: WAS, weight: 2.6, dashArray: "7 5" }));
    edges.addLayer(line(view.borders, { color: INK, weight: 3 }));
    for (const { at, name, text } of view.tags) {
      const words = node("span");
      words.append(node("b", "", name), node("small", "", text));
      tags.addLayer(L.marker(at, {
        icon: L.divIcon({ className: "tag", html: words, iconSize: [0, 0] }), interactive: false, keyboard: false,
      }));
    }
    spread();
  }
  function spread() { // on a small scale names give way to the numbers beside the legend's colours
    map.getContainer().classList.toggle("narrow", map.getSize().x < NARROW_PX);
  }
  function setView(key) {
    const view = data.views.find((one) => one.key === key) || data.views[0];
    for (const button of document.querySelectorAll("[data-view]")) {
      const on = button.dataset.view === view.key;
      button.setAttribute("aria-pressed", String(on));
      if (on) byId("status").firstElementChild.textContent = button.textContent;
    }
    byId("status").lastElementChild.textContent = view.sentence;
    draw(view);
  }
  function showArea(area) {
    map.getContainer().scrollIntoView({ block: "nearest" });
    map.fitBounds(shapes[area].getBounds().pad(1.5), { maxZoom: map.getMinZoom() + 3 });
    shapes[area].openTooltip(shapes[area].getCenter());
  }

  const { layer } = DeployMap;
  DeployMap.layer = (onMap, kind, given) => {
    map = onMap;
    for (const [name, order] of [["hatch", 402], ["edges", 412]]) {
      if (!map.getPane(name)) {
        map.createPane(name).style.zIndex = order;
        map.getPane(name).style.pointerEvents = "none";
      }
    }
    return layer(onMap, kind, given);
  };
  DeployMap.count = () => shapes.length;
  DeployMap.start = ({ view }) => {
    const asked = new URLSearchParams(location.hash.slice(1)).get("view");
    setView(asked || view);
    settle(shapes);
    drawRoads();
    spread();
    map.on("zoomend", drawRoads);
    map.on("resize", spread);
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => setView(button.dataset.view));
    }
    for (const button of document.querySelectorAll("[data-area]")) {
      button.addEventListener("click", () => showArea(data.ids.indexOf(button.dataset.area)));
    }
    bindPrint(() => {});
  };
})();
