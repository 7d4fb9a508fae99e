/** Bytes that both ends of a transfer can make: 0, 1, … 250, 0, 1, … */
const period = 251;
const block = Buffer.from(
  Uint8Array.from({ length: period * 256 }, (_, index) => index % period),
);

/** @param length number of bytes */
export function* patternBytes(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= block.length) {
    yield left >= block.length ? block : block.subarray(0, left);
  }
}
