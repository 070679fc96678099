// Runs an ONNX detector for the Python side in the runtime of the product: pictures come in on stdin, rows go out on stdout.
// In: height, width (uint32 LE, multiples of 32), height x width x 3 bytes BGR. Out: N, C (uint32 LE), N x C float32.
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [model = '', threads = '1'] = process.argv.slice(2);
const session = await InferenceSession.create(model, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  extra: { session: { 'intra_op.allow_spinning': '0' } },
  logSeverityLevel: 3,
});

/** Float planes of interleaved bytes. */
function toPlanes(pixels, size) {
  const planes = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    planes[i] = pixels[3 * i];
    planes[i + size] = pixels[3 * i + 1];
    planes[i + 2 * size] = pixels[3 * i + 2];
  }
  return planes;
}

let pending = [];
let length = 0;
for await (const chunk of process.stdin) {
  pending.push(chunk);
  length += chunk.length;
  for (;;) {
    if (length < 8) break;
    const head = pending[0].length >= 8 ? pending[0] : Buffer.concat(pending);
    const height = head.readUInt32LE(0);
    const width = head.readUInt32LE(4);
    const total = 8 + height * width * 3;
    if (length < total) break;
    const all = Buffer.concat(pending);
    const planes = toPlanes(all.subarray(8, total), height * width);
    pending = all.length > total ? [all.subarray(total)] : [];
    length = all.length - total;
    const { output } = await session.run({ images: new Tensor('float32', planes, [1, 3, height, width]) });
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32LE(output.dims[1], 0);
    sizes.writeUInt32LE(output.dims[2], 4);
    process.stdout.write(sizes);
    process.stdout.write(Buffer.from(output.data.buffer, output.data.byteOffset, output.data.byteLength));
  }
}
