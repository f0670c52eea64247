// The npm package that the face weights come from, behind a pipe: requests on
// standard input, answers on standard output, one at a time. It runs the
// package's own code on TensorFlow.js' WebAssembly backend with SIMD and one
// thread, and is the yardstick of our own nets, in what they say and how fast.
//
// A request is one line of JSON, { do, width, height, ... }, and then
// width*height*3 bytes of RGB, row by row. An answer is one line of JSON; a
// failure is { error }. The first line says what is running.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';

const require = createRequire(import.meta.url);
const quiet = () => {};
console.log = quiet; // standard output carries answers only
console.warn = quiet;

const wasm = require('@tensorflow/tfjs-backend-wasm');
const tf = require('@tensorflow/tfjs');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
const packageFile = require.resolve('@vladmandic/face-api/package.json');

const answer = (value) => process.stdout.write(JSON.stringify(value) + '\n');

async function start() {
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/');
  wasm.setThreadsCount(1);
  if (!await tf.setBackend('wasm')) throw new Error('the wasm backend cannot be used here');
  await tf.ready();
  const model = dirname(packageFile) + '/model';
  await faceapi.nets.tinyFaceDetector.loadFromDisk(model);
  await faceapi.nets.faceLandmark68Net.loadFromDisk(model);
  await faceapi.nets.faceExpressionNet.loadFromDisk(model);
  answer({
    package: require(packageFile).version,
    tfjs: tf.version_core,
    node: process.version,
    backend: tf.getBackend(),
    simd: await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'),
    threads: wasm.getThreadsCount(),
  });
}

/** The picture of a request as the package wants it: a tensor of height, width, 3. */
function tensor(request, bytes) {
  return tf.tensor3d(new Int32Array(bytes), [request.height, request.width, 3], 'int32');
}

const options = (request) => new faceapi.TinyFaceDetectorOptions({
  inputSize: request.inputSize, scoreThreshold: request.scoreThreshold,
});

/** Landmarks in parts of the picture's width and height, and probabilities. */
async function read(picture) {
  const landmarks = await faceapi.nets.faceLandmark68Net.detectLandmarks(picture);
  const expressions = await faceapi.nets.faceExpressionNet.predictExpressions(picture);
  return {
    landmarks: landmarks.relativePositions.flatMap((p) => [p.x, p.y]),
    expression: ['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised'].map((name) => expressions[name]),
  };
}

/** All faces, best first, in pixels. */
async function detect(picture, request) {
  const found = await faceapi.nets.tinyFaceDetector.locateFaces(picture, options(request));
  return { faces: found.map(({ box, score }) => ({ x: box.x, y: box.y, width: box.width, height: box.height, score })) };
}

/** The whole job as the package's readme does it, timed in milliseconds. */
async function analyze(picture, request) {
  const begin = performance.now();
  const face = await faceapi.detectSingleFace(picture, options(request)).withFaceLandmarks().withFaceExpressions();
  const total = performance.now() - begin;
  return { found: face !== undefined, total };
}

/** The same job step by step, timed in milliseconds. */
async function stages(picture, request) {
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());
  const [best] = (await faceapi.nets.tinyFaceDetector.locateFaces(picture, options(request))).sort((a, b) => b.score - a.score);
  mark();
  if (!best) return { found: false, detect: marks[1] - marks[0] };
  const [face] = await faceapi.extractFaceTensors(picture, [best]);
  const landmarks = await faceapi.nets.faceLandmark68Net.detectLandmarks(face);
  face.dispose();
  mark();
  const [aligned] = await faceapi.extractFaceTensors(picture, [landmarks.shiftBy(best.box.x, best.box.y).align()]);
  await faceapi.nets.faceExpressionNet.predictExpressions(aligned);
  aligned.dispose();
  mark();
  return { found: true, detect: marks[1] - marks[0], landmarks: marks[2] - marks[1], expression: marks[3] - marks[2] };
}

const jobs = { read, detect, analyze, stages };

async function serve(request, bytes) {
  const job = jobs[request.do];
  if (!job) throw new Error(`there is no job ${request.do}`);
  const begin = performance.now();
  const picture = tensor(request, bytes);
  const upload = performance.now() - begin;
  try {
    return { upload, ...await job(picture, request) };
  } finally {
    picture.dispose();
  }
}

async function main() {
  await start();
  let pending = Buffer.alloc(0);
  let request;
  for await (const chunk of process.stdin) {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      if (!request) {
        const end = pending.indexOf(10);
        if (end < 0) break;
        request = JSON.parse(pending.subarray(0, end).toString());
        pending = pending.subarray(end + 1);
      }
      const size = request.width * request.height * 3;
      if (pending.length < size) break;
      const bytes = pending.subarray(0, size);
      try {
        answer(await serve(request, bytes));
      } catch (err) {
        answer({ error: String(err.stack ?? err) });
      }
      pending = pending.subarray(size);
      request = undefined;
    }
  }
}

await main().catch((err) => { answer({ error: String(err.stack ?? err) }); process.exitCode = 1; });
