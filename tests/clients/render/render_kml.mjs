// Draws a KML or KMZ to PNG as a real client would: Cesium's KmlDataSource in headless Chromium
// (software WebGL). Offline: only 127.0.0.1 can be reached, any other request is reported.
//
//   node render_kml.mjs in.kml|in.kmz out.png [options]
//     --size 1024x768          --timeout SECONDS (120)    --json report.json
//     --lookat lon,lat,range_m,heading,tilt    --camera lon,lat,height_m,heading,pitch
//     --time 2045-01-01T00:00:00Z              --base none|naturalearth
//     --hide FOLDER  --show FOLDER   (repeatable; FOLDER is how its name begins)
//     --each FOLDER  (repeatable)    also draws each of these alone, to out.1.png, out.2.png, ...
//     --empty empty.png              also draws the same view with all features hidden
//
// View: --camera, else --lookat, else the first feature with a Camera or LookAt, else the whole file.
// Cesium and puppeteer-core come from $RENDER_MODULES, or node_modules beside this file.
// Cesium knows no Region, radioFolder, AnimatedUpdate or SchemaData, and takes relativeToGround from sea level.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.resolve(process.env.RENDER_MODULES ?? path.join(here, 'node_modules'));
const puppeteer = createRequire(path.join(modules, 'any.js'))('puppeteer-core');

const names = { type: 'string', multiple: true, default: [] };
const { values: option, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1024x768' }, timeout: { type: 'string', default: '120' },
    base: { type: 'string', default: 'none' }, lookat: { type: 'string' }, camera: { type: 'string' },
    time: { type: 'string' }, json: { type: 'string' }, empty: { type: 'string' },
    hide: names, show: names, each: names,
  },
});
const [input, output] = positionals;
if (!input || !output || !fs.existsSync(input)) {
  console.error('usage: node render_kml.mjs in.kml|in.kmz out.png [options]; the head of this file has them all');
  process.exit(2);
}

const types = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm', '.png': 'image/png', '.jpg': 'image/jpeg', '.svg': 'image/svg+xml',
  '.xml': 'application/xml', '.kml': 'application/vnd.google-earth.kml+xml', '.kmz': 'application/vnd.google-earth.kmz',
};
const folders = {
  '/cesium/': path.join(modules, 'cesium/Build/Cesium/'),
  '/kml/': path.join(path.resolve(path.dirname(input)), '/'),
  '/page/': path.join(here, '/'),
};
const kmlRequests = [];

const server = http.createServer((request, response) => {
  const wanted = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const [prefix, folder] = Object.entries(folders).find(([key]) => wanted.startsWith(key)) ?? [];
  if (prefix === '/kml/') kmlRequests.push(wanted);
  const file = folder && path.normalize(path.join(folder, wanted.slice(prefix.length)));
  if (!file?.startsWith(folder) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const [width, height] = option.size.split('x').map(Number);
const timeout = Number(option.timeout);
const numbers = (text) => text?.split(',').map(Number);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  protocolTimeout: timeout * 1000,
  args: [
    '--no-sandbox', // containers and CI run as root, where Chromium's sandbox can't
    '--disable-dev-shm-usage', '--hide-scrollbars', `--window-size=${width},${height}`,
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
  ],
});

try {
  const page = await browser.newPage();
  const log = [];
  const pageErrors = [];
  const externalRequests = [];
  await page.setViewport({ width, height });
  page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => pageErrors.push(error.message));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(origin)) externalRequests.push(request.url());
  });
  await page.goto(`${origin}/page/page.html`, { waitUntil: 'load' });

  const settle = timeout * 0.7; // the rest is for loading and for taking pictures
  const report = await page.evaluate((options) => window.drawing.open(options), {
    href: `/kml/${encodeURIComponent(path.basename(input))}`,
    base: option.base, time: option.time, hide: option.hide, show: option.show, settle,
    lookat: numbers(option.lookat), camera: numbers(option.camera),
  });
  await page.screenshot({ path: output });

  report.each = [];
  for (const [index, name] of option.each.entries()) {
    const shot = { name, png: output.replace(/\.png$/, `.${index + 1}.png`) };
    Object.assign(shot, await page.evaluate(async (all, one, seconds) => {
      all.forEach((other) => window.drawing.setShown(other, false));
      const found = window.drawing.setShown(one, true);
      return { found, settled: await window.drawing.settle(seconds), visiblePolygons: window.drawing.visiblePolygons() };
    }, option.each, name, settle));
    if (!shot.found) continue;
    await page.screenshot({ path: shot.png });
    report.each.push(shot);
  }
  if (option.empty) {
    await page.evaluate((seconds) => {
      window.drawing.setAllShown(false);
      return window.drawing.settle(seconds);
    }, settle);
    await page.screenshot({ path: option.empty });
  }

  Object.assign(report, {
    kmlRequests, externalRequests, pageErrors, log: log.filter((line) => !/GPU stall|GL Driver/.test(line)),
  });
  const text = JSON.stringify(report, null, 1);
  if (option.json) fs.writeFileSync(option.json, text);
  console.log(text);
} finally {
  await browser.close();
  server.close();
}
