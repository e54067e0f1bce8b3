// The maps of gridpatrol: base map, grid areas, points, routes, rings and legend on vendored Leaflet.
// Every text from the register goes through textContent, never through markup.
(function () {
  "use strict";
  const tokens = window.gridpatrolTokens;
  const state = { loaded: 0, failed: 0 };

  function hatch(ink, paper) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const ctx = tile.getContext("2d");
    if (paper) { ctx.fillStyle = paper; ctx.fillRect(0, 0, 8, 8); }
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    for (const shift of [-8, 0, 8]) { ctx.moveTo(shift, 8); ctx.lineTo(shift + 8, 0); }
    ctx.stroke();
    return ctx.createPattern(tile, "repeat");
  }

  function outline(ctx, shape, x, y, r) {
    ctx.beginPath();
    if (shape === "square") ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
    else if (shape === "triangle") { ctx.moveTo(x, y - r * 1.15); ctx.lineTo(x + r * 1.1, y + r * 0.85); ctx.lineTo(x - r * 1.1, y + r * 0.85); ctx.closePath(); }
    else if (shape === "diamond") { ctx.moveTo(x, y - r * 1.25); ctx.lineTo(x + r * 1.1, y); ctx.lineTo(x, y + r * 1.25); ctx.lineTo(x - r * 1.1, y); ctx.closePath(); }
    else if (shape === "cross") {
      const a = r * 0.42, b = r * 1.15;
      ctx.moveTo(x - a, y - b); ctx.lineTo(x + a, y - b); ctx.lineTo(x + a, y - a); ctx.lineTo(x + b, y - a);
      ctx.lineTo(x + b, y + a); ctx.lineTo(x + a, y + a); ctx.lineTo(x + a, y + b); ctx.lineTo(x - a, y + b);
      ctx.lineTo(x - a, y + a); ctx.lineTo(x - b, y + a); ctx.lineTo(x - b, y - a); ctx.lineTo(x - a, y - a); ctx.closePath();
    } else if (shape === "star") {
      for (let i = 0; i < 10; i++) {
        const angle = (Math.PI / 5) * i - Math.PI / 2, reach = i % 2 ? r * 0.55 : r * 1.3;
        ctx.lineTo(x + reach * Math.cos(angle), y + reach * Math.sin(angle));
      }
      ctx.closePath();
    } else ctx.arc(x, y, r, 0, 2 * Math.PI);
  }

  const ShapeMarker = L.CircleMarker.extend({
    _updatePath: function () {
      const renderer = this._renderer;
      if (!renderer._drawing || this._empty()) return;
      outline(renderer._ctx, this.options.shape, this._point.x, this._point.y, this._radius);
      renderer._fillStroke(renderer._ctx, this);
    },
  });

  function element(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function card(properties) {
    const box = element("div", "gm-card");
    box.append(element("strong", "", properties.title || ""));
    for (const line of properties.lines || []) box.append(element("div", "", line));
    return box;
  }

  function notice(map, text) {
    const control = L.control({ position: "topright" });
    control.onAdd = () => element("div", "gm-notice", text);
    control.addTo(map);
  }

  function load(map, url, words, draw) {
    return fetch(url, { credentials: "same-origin" })
      .then((answer) => { if (!answer.ok) throw new Error(String(answer.status)); return answer.json(); })
      .then((data) => { draw(data); state.loaded += 1; })
      .catch((error) => { state.failed += 1; console.error("gridmap", url, error); notice(map, words.failed); });
  }

  function paintRules() {
    const p = protomapsL, c = tokens.map, main = (z, f) => f.props.class === "main", minor = (z, f) => f.props.class !== "main";
    const wide = (low, high) => (z) => Math.max(low, Math.min(high, low + (z - 12) * ((high - low) / 5)));
    return [
      { dataLayer: "blocks", symbolizer: new p.PolygonSymbolizer({ fill: c.block }) },
      { dataLayer: "water", symbolizer: new p.PolygonSymbolizer({ fill: c.water }) },
      { dataLayer: "roads", filter: minor, minzoom: 12, symbolizer: new p.LineSymbolizer({ color: c.casing, width: wide(0.8, 6) }) },
      { dataLayer: "roads", filter: main, symbolizer: new p.LineSymbolizer({ color: c.casing, width: wide(2, 10) }) },
      { dataLayer: "roads", filter: minor, minzoom: 12, symbolizer: new p.LineSymbolizer({ color: c.minor, width: wide(0.5, 4.5) }) },
      { dataLayer: "roads", filter: main, symbolizer: new p.LineSymbolizer({ color: c.main, width: wide(1.4, 8) }) },
      { dataLayer: "grids", symbolizer: new p.LineSymbolizer({ color: c.grid, width: 0.6 }) },
      { dataLayer: "district", symbolizer: new p.LineSymbolizer({ color: c.district, width: 1.5 }) },
    ];
  }

  function labelRules() {
    const text = (size) => new protomapsL.CenteredTextSymbolizer({
      labelProps: ["name"], fill: tokens.muted, stroke: tokens.paper, width: 3, font: `500 ${size}px ${tokens.font}`,
    });
    return [{ dataLayer: "grids", minzoom: 16, symbolizer: text(12) }];
  }

  // GCJ-02 as a projection: data, centre and clicks stay WGS-84, only where they are drawn shifts, so that
  // pictures of a GCJ-02 service fit and nothing on one map can be in another datum than the rest.
  // The published formula and its fixed-point inverse are those of geo/crs.py.
  function gcjShift(lng, lat) {
    const x = lng - 105, y = lat - 35, pi = Math.PI, axis = 6378245.0, e2 = 0.00669342162296594323;
    const wave = ((20 * Math.sin(6 * x * pi) + 20 * Math.sin(2 * x * pi)) * 2) / 3;
    let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + wave;
    north += ((20 * Math.sin(y * pi) + 40 * Math.sin((y / 3) * pi)) * 2) / 3;
    north += ((160 * Math.sin((y / 12) * pi) + 320 * Math.sin((y * pi) / 30)) * 2) / 3;
    let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + wave;
    east += ((20 * Math.sin(x * pi) + 40 * Math.sin((x / 3) * pi)) * 2) / 3;
    east += ((150 * Math.sin((x / 12) * pi) + 300 * Math.sin((x / 30) * pi)) * 2) / 3;
    const rad = (lat * pi) / 180, magic = 1 - e2 * Math.sin(rad) ** 2, root = Math.sqrt(magic);
    return [
      (east * 180) / ((axis / root) * Math.cos(rad) * pi),
      (north * 180) / (((axis * (1 - e2)) / (magic * root)) * pi),
    ];
  }
  const toGcj = (p) => { const [dx, dy] = gcjShift(p.lng, p.lat); return L.latLng(p.lat + dy, p.lng + dx); };
  const fromGcj = (p) => {
    let guess = p;
    for (let i = 0; i < 3; i++) { const there = toGcj(guess); guess = L.latLng(guess.lat + p.lat - there.lat, guess.lng + p.lng - there.lng); }
    return guess;
  };
  const mercator = L.Projection.SphericalMercator;
  // Far from home (the whole world at zoom 0) the formula grows without bound; there nothing is drawn.
  const near = (p) => Math.abs(p.lng - 105) < 40 && Math.abs(p.lat - 35) < 30;
  L.CRS.GCJ02 = L.extend({}, L.CRS.EPSG3857, {
    code: "GCJ02",
    projection: L.extend({}, mercator, {
      project: (p) => mercator.project(near(p) ? toGcj(p) : p),
      unproject: (point) => { const p = mercator.unproject(point); return near(p) ? fromGcj(p) : p; },
    }),
  });

  const gridmap = {
    state,
    toGcj,
    fromGcj,

    prepare: function (map, options) {
      map.attributionControl.setPrefix(false);
      map.getContainer().style.background = tokens.map.land;
      map.getContainer().lang = options.language === "en" ? "en" : "zh-CN";
      map.getContainer().setAttribute("role", "region");
      map.getContainer().setAttribute("aria-label", options.name);
      map.gmCanvas = L.canvas({ padding: 0.4 });
      L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
      // Added once every part of the map has had its say: a tile asked for at one zoom, given up for another
      // and asked for again stays blank.
      setTimeout(() => {
        if (options.basemap) {
          protomapsL.leafletLayer({
            url: options.basemap, paintRules: paintRules(), labelRules: labelRules(),
            backgroundColor: tokens.map.land, attribution: options.attribution || "", maxDataZoom: options.maxDataZoom || 15,
          }).addTo(map);
        }
        for (const [at, url] of (options.tiles || []).entries()) {
          L.tileLayer(url, { maxZoom: 19, attribution: at ? "" : options.attribution || "" }).addTo(map);
        }
      }, 0);
      map.gmHome = options.bounds;
      gridmap.home(map);
    },

    home: function (map) {
      if (map.gmHome) map.fitBounds(map.gmHome, { padding: [10, 10], animate: false });
    },

    labels: function (map, places) {
      for (const place of places) {
        const icon = L.divIcon({ className: "gm-label", html: element("span", "", place.name), iconSize: [0, 0] });
        L.marker([place.lat, place.lon], { icon, interactive: false, keyboard: false }).addTo(map);
      }
    },

    choropleth: function (map, options) {
      const nothing = hatch(tokens.map.grid, tokens.paper);
      const style = (feature) => {
        const { state: kind, share } = feature.properties;
        const line = { renderer: map.gmCanvas, color: tokens.map.grid, weight: 0.8, fillOpacity: 0.78 };
        if (kind === "no_data" || kind === "nothing_owed") return { ...line, fillColor: nothing, fillOpacity: 0.9 };
        if (kind === "none") return { ...line, fillColor: tokens.paper, color: tokens.bad, weight: 1.6 };
        return { ...line, fillColor: tokens.coverage[tokens.edges.filter((edge) => share >= edge).length] };
      };
      return load(map, options.url, options.words, (data) => {
        const layer = L.geoJSON(data, {
          style,
          onEachFeature: (feature, shape) => shape.bindTooltip(() => card(feature.properties), { sticky: true }),
        }).addTo(map);
        layer.bringToBack();
      });
    },

    points: function (map, options) {
      // Far away the areas beneath must stay readable.
      const size = () => (map.getZoom() < 13.5 ? 3.5 : map.getZoom() < 15 ? 5 : 7);
      return load(map, options.url, options.words, (data) => {
        const layer = L.geoJSON(data, {
          pointToLayer: (feature, at) => {
            const p = feature.properties;
            return new ShapeMarker(at, {
              renderer: map.gmCanvas, shape: tokens.shapes[p.kind], radius: size(), weight: 1, color: tokens.ink,
              fillColor: tokens.fills[p.fill] || tokens.paper, fillOpacity: 0.95,
            });
          },
          onEachFeature: (feature, marker) => {
            marker.bindTooltip(() => card(feature.properties), { direction: "top" });
            marker.bindPopup(() => card(feature.properties), { maxWidth: 280 });
          },
        }).addTo(map);
        map.on("zoomend", () => layer.eachLayer((marker) => marker.setRadius(size())));
      });
    },

    routes: function (map, options) {
      return load(map, options.url, options.words, (data) => {
        const layer = L.geoJSON(data, {
          style: (feature) => ({
            renderer: map.gmCanvas, color: feature.properties.colour, weight: 3, opacity: 0.85,
            dashArray: feature.properties.dashed ? "7 5" : null,
          }),
          pointToLayer: (feature, at) => {
            const p = feature.properties, box = element("span", p.depot ? "gm-depot" : "gm-stop", p.label);
            box.style.background = p.colour;
            return L.marker(at, { icon: L.divIcon({ className: "gm-pin", html: box, iconSize: [24, 24] }), title: p.title, alt: p.title });
          },
          onEachFeature: (feature, shape) => shape.bindPopup(() => card(feature.properties), { maxWidth: 280 }),
        }).addTo(map);
        if (options.fit && layer.getBounds().isValid()) map.gmFitted = true, map.fitBounds(layer.getBounds(), { padding: [28, 28], maxZoom: 17 });
      });
    },

    // Features that say themselves how they look: colour, fill, dashed, weight, and for points a label.
    shapes: function (map, options) {
      return load(map, options.url, options.words, (data) => {
        const bounds = L.latLngBounds([]);
        const isChosen = (p) => options.focus !== null && p.id === options.focus;
        L.geoJSON(data, {
          style: (feature) => {
            const p = feature.properties;
            return {
              renderer: map.gmCanvas, color: p.colour, weight: isChosen(p) ? 4 : p.weight || 1, dashArray: p.dashed ? "5 4" : null,
              fill: true, fillColor: p.colour, fillOpacity: p.fill || 0,
            };
          },
          pointToLayer: (feature, at) => {
            const p = feature.properties, box = element("span", "gm-stop", p.label);
            box.style.background = p.colour;
            const icon = L.divIcon({ className: "gm-pin", html: box, iconSize: [24, 24] });
            return L.marker(at, { icon, title: p.title, alt: p.title, zIndexOffset: isChosen(p) ? 1000 : 0 });
          },
          onEachFeature: (feature, shape) => {
            const p = feature.properties, point = feature.geometry.type === "Point";
            if (point) shape.bindPopup(() => card(p), { maxWidth: 280 });
            else shape.bindTooltip(() => card(p), { sticky: true });
            if (isChosen(p)) bounds.extend(point ? shape.getLatLng() : shape.getBounds());
          },
        }).addTo(map);
        if (!bounds.isValid()) return;
        map.gmFitted = true;
        map.fitBounds(bounds, { padding: [60, 60], maxZoom: 17, animate: false });
      });
    },

    rings: function (map, options) {
      const unsure = hatch(tokens.muted, null);
      return load(map, options.url, options.words, (data) => {
        for (const feature of data.features) {
          const [lon, lat] = feature.geometry.coordinates, p = feature.properties;
          const hot = p.state === "hot" || p.state === "candidate", few = p.state === "too_few" || p.state === "no_data";
          L.circle([lat, lon], {
            renderer: map.gmCanvas, radius: p.radius_m, weight: hot ? 2 : 0.8, color: hot ? tokens.hot : tokens.muted,
            fillColor: hot ? tokens.hot : few ? unsure : tokens.paper, fillOpacity: hot ? 0.32 : few ? 0.5 : 0, fill: hot || few,
          }).addTo(map).bindTooltip(() => card(p), { sticky: true });
          const dot = L.divIcon({ className: "gm-pin", html: element("span", "gm-school", options.words.school), iconSize: [22, 22] });
          L.marker([lat, lon], { icon: dot, title: p.title, alt: p.title }).addTo(map).bindPopup(() => card(p));
        }
      });
    },

    borders: function (map, options) {
      return load(map, options.url, options.words, (data) => {
        L.geoJSON(data, { interactive: false, style: { color: tokens.map.grid, weight: 1, opacity: 0.8, fill: false, interactive: false } })
          .addTo(map).bringToBack();
      });
    },

    schools: function (map, options) {
      return load(map, options.url, options.words, (data) => {
        L.geoJSON(data, {
          pointToLayer: (feature, at) => {
            const p = feature.properties, box = element("span", "gm-school", options.words.school);
            return L.marker(at, { icon: L.divIcon({ className: "gm-pin", html: box, iconSize: [22, 22] }), title: p.title, alt: p.title });
          },
          onEachFeature: (feature, marker) => marker.bindPopup(() => card(feature.properties), { maxWidth: 280 }),
        }).addTo(map);
      });
    },

    // One place to review: its present point with the error circle, numbered candidates hanging below their
    // points, and a pin that stands on the proposed point. A drag ends as a click at the pin's new place,
    // so that whoever listens to clicks hears of both.
    review: function (map, options) {
      const seen = L.latLngBounds([]);
      let pin = null;
      const propose = (at) => {
        if (pin) { pin.setLatLng(at); return; }
        const icon = L.divIcon({ className: "gm-pin", html: element("span", "gm-propose"), iconSize: [30, 30], iconAnchor: [15, 36] });
        pin = L.marker(at, { icon, draggable: true, autoPan: true, zIndexOffset: 1000, title: options.words.pin, alt: options.words.pin }).addTo(map);
        pin.on("dragend", () => map.fire("click", { latlng: pin.getLatLng() }));
      };
      if (options.present) {
        const { lon, lat, radius_m: radius } = options.present, at = L.latLng(lat, lon);
        if (radius) L.circle(at, { radius, interactive: false, color: tokens.muted, weight: 1.2, dashArray: "5 4", fillColor: tokens.muted, fillOpacity: 0.07 }).addTo(map);
        L.circleMarker(at, { radius: 6, interactive: false, color: tokens.paper, weight: 2, fillColor: tokens.ink, fillOpacity: 1 }).addTo(map);
        seen.extend(at.toBounds(Math.max(500, Math.min(2 * (radius || 0), 4000))));
        propose(at);
      }
      for (const found of options.candidates) {
        const at = L.latLng(found.lat, found.lon), box = element("span", "gm-stop gm-candidate", found.label);
        const icon = L.divIcon({ className: "gm-pin", html: box, iconSize: [24, 24], iconAnchor: [12, -3] });
        L.marker(at, { icon, zIndexOffset: 500, title: found.title, alt: found.title }).addTo(map).bindPopup(() => card(found), { maxWidth: 280 });
        seen.extend(at.toBounds(500));
      }
      map.on("click", (event) => propose(event.latlng));
      if (seen.isValid()) { map.gmHome = seen; gridmap.home(map); }
    },

    legend: function (map, options) {
      // A strip under the map: laid over it, the legend would hide a part of the district.
      const frame = map.getContainer(), box = element("div", "gm-legend");
      box.append(element("span", "gm-legend-title", options.title));
      for (const row of options.rows) {
          const line = element("span", "gm-legend-row"), sample = element("canvas", "");
          sample.width = 44; sample.height = 28;
          const ctx = sample.getContext("2d");
          ctx.scale(2, 2);
          ctx.lineWidth = row.weight || 1;
          ctx.strokeStyle = row.stroke || tokens.ink;
          ctx.fillStyle = row.fill === "hatch" ? hatch(tokens.map.grid, tokens.paper) : row.fill || "transparent";
          if (row.line) { ctx.setLineDash(row.dashed ? [5, 3] : []); ctx.lineWidth = 3; ctx.beginPath(); ctx.moveTo(1, 7); ctx.lineTo(21, 7); ctx.stroke(); }
          else if (row.badge) {
            ctx.beginPath(); ctx.roundRect(4, 0, 14, 14, 3); ctx.fill();
            ctx.font = `700 9px ${tokens.font}`; ctx.textAlign = "center"; ctx.textBaseline = "middle";
            ctx.fillStyle = tokens.paper; ctx.fillText(row.badge, 11, 7.5);
          } else {
            if (row.shape) outline(ctx, row.shape, 11, 7, 5); else { ctx.beginPath(); ctx.rect(2, 1.5, 18, 11); }
            ctx.fill(); ctx.stroke();
          }
          line.append(sample, element("span", "", row.label));
          box.append(line);
      }
      for (const note of options.notes) box.append(element("span", "gm-legend-note", note));
      box.lang = frame.lang;
      const whole = frame.clientHeight;
      frame.after(box);
      const settle = () => {
        frame.style.height = `${whole - box.offsetHeight}px`;
        map.invalidateSize({ animate: false });
        if (!map.gmFitted) gridmap.home(map);
      };
      settle();
      window.addEventListener("resize", settle);
    },
  };
  window.gridmap = gridmap;
})();
