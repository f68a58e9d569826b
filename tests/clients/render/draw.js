// Runs in the page: loads one KML/KMZ with Cesium's KmlDataSource, frames it, and tells what is shown.
// render_kml.mjs calls window.drawing.open(options) once, then setShown/settle for each picture.
(() => {
  const WHITE_GLOBE = '#eef2f5';
  let viewer, source;

  const baseLayers = {
    none: () => false,
    naturalearth: () => Cesium.ImageryLayer.fromProviderAsync(Cesium.TileMapServiceImageryProvider.fromUrl(
      Cesium.buildModuleUrl('Assets/Textures/NaturalEarthII'))),
  };

  const openViewer = ({ base, time }) => {
    Cesium.Ion.defaultAccessToken = ''; // never asks Cesium's own server for anything
    viewer = new Cesium.Viewer('globe', {
      baseLayer: baseLayers[base](), terrainProvider: new Cesium.EllipsoidTerrainProvider(),
      baseLayerPicker: false, geocoder: false, homeButton: false, sceneModePicker: false, infoBox: false,
      navigationHelpButton: false, fullscreenButton: false, selectionIndicator: false, animation: false,
      timeline: Boolean(time), skyBox: false, skyAtmosphere: false,
    });
    const { scene } = viewer;
    scene.backgroundColor = Cesium.Color.WHITE;
    scene.globe.baseColor = Cesium.Color.fromCssColorString(WHITE_GLOBE);
    scene.globe.showGroundAtmosphere = scene.globe.enableLighting = scene.fog.enabled = false;
  };

  const entities = () => source.entities.values;
  const children = (parent) => entities().filter((entity) => entity.parent === parent);
  const isContainer = (entity) => children(entity).length > 0;
  // "現況" names the folder 現況 and also 現況（2020年）.
  const named = (name) => entities().filter((entity) => (entity.name ?? '').startsWith(name));

  const setShown = (name, shown) => {
    const descend = (entity) => { entity.show = shown; children(entity).forEach(descend); };
    const found = named(name).filter(isContainer);
    found.forEach(descend);
    return found.length;
  };

  const setAllShown = (shown) => { source.show = shown; };

  const frame = async ({ camera, lookat }) => {
    const rad = Cesium.Math.toRadians;
    const lookAt = (position, offset) => {
      viewer.camera.lookAt(position, offset);
      viewer.camera.lookAtTransform(Cesium.Matrix4.IDENTITY);
    };
    if (camera) {
      const [lon, lat, height, heading = 0, pitch = -90] = camera;
      viewer.camera.setView({
        destination: Cesium.Cartesian3.fromDegrees(lon, lat, height),
        orientation: { heading: rad(heading), pitch: rad(pitch), roll: 0 },
      });
      return 'camera';
    }
    if (lookat) {
      const [lon, lat, range, heading = 0, tilt = 0] = lookat;
      lookAt(Cesium.Cartesian3.fromDegrees(lon, lat), new Cesium.HeadingPitchRange(rad(heading), rad(tilt - 90), range));
      return 'lookat';
    }
    const own = entities().find((entity) => entity.kml?.camera || entity.kml?.lookAt);
    if (own?.kml.camera) {
      viewer.camera.setView({ destination: own.kml.camera.position, orientation: own.kml.camera.headingPitchRoll });
      return `Camera of ${own.name}`;
    }
    if (own) {
      lookAt(own.kml.lookAt.position, own.kml.lookAt.headingPitchRange);
      return `LookAt of ${own.name}`;
    }
    await viewer.zoomTo(source, new Cesium.HeadingPitchRange(0, rad(-40), 0));
    return 'zoomTo';
  };

  // Geometry is built in workers: the picture is finished when nothing has been pending for a while.
  const settle = async (seconds) => {
    const end = performance.now() + seconds * 1000;
    for (let quiet = 0; quiet < 4;) {
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, 250));
      quiet = viewer.dataSourceDisplay.ready && viewer.scene.globe.tilesLoaded ? quiet + 1 : 0;
    }
    viewer.render();
    return true;
  };

  const visiblePolygons = () => {
    const now = viewer.clock.currentTime;
    return entities().filter((entity) => entity.polygon && entity.isShowing && entity.isAvailable(now)).length;
  };

  const describe = () => {
    const now = viewer.clock.currentTime;
    const text = (entity) => entity.description?.getValue(now) ?? '';
    const sample = entities().find((entity) => entity.polygon);
    const value = (property) => property?.getValue(now);
    return {
      cesium: Cesium.VERSION,
      entities: entities().length,
      polygons: entities().filter((entity) => entity.polygon).length,
      visiblePolygons: visiblePolygons(),
      containers: entities().filter(isContainer).map((entity) => ({
        name: entity.name, shown: entity.isShowing, description: text(entity).slice(0, 4000),
      })),
      screenOverlays: [...document.querySelectorAll('#overlays img')].filter((image) => image.naturalWidth > 0).length,
      clock: source.clock && [source.clock.startTime, source.clock.stopTime].map((t) => Cesium.JulianDate.toIso8601(t)),
      tours: source.kmlTours.map((tour) => ({ name: tour.name, entries: tour.playlist.length })),
      sample: sample && {
        name: sample.name, extrudedHeight: value(sample.polygon.extrudedHeight),
        outline: value(sample.polygon.outline), data: sample.kml.extendedData, description: text(sample).slice(0, 1000),
      },
    };
  };

  const open = async (options) => {
    openViewer(options);
    const start = performance.now();
    source = await Cesium.KmlDataSource.load(options.href, {
      camera: viewer.camera, canvas: viewer.scene.canvas, screenOverlayContainer: 'overlays',
    });
    await viewer.dataSources.add(source);
    options.hide.forEach((name) => setShown(name, false));
    options.show.forEach((name) => setShown(name, true));
    if (options.time) {
      viewer.clock.shouldAnimate = false;
      viewer.clock.currentTime = Cesium.JulianDate.fromIso8601(options.time);
    }
    const view = await frame(options);
    const settled = await settle(options.settle);
    return { ...describe(), view, settled, readyMs: Math.round(performance.now() - start) };
  };

  window.drawing = { open, setShown, setAllShown, settle, visiblePolygons };
})();
