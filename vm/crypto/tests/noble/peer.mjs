// Answers one JSON request a line on standard input with one JSON line on standard output.
// Byte strings are hexadecimal.
//
// SPHINCS+ of round 3.1 is this library's SLH-DSA (FIPS 205) without a context, with one function exchanged: the one
// that reads the indices of the few-time keys out of the digest, which the standard does from the other end of a byte.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { falcon512, falcon1024 } from '@noble/post-quantum/falcon.js';

const source = fileURLToPath(import.meta.resolve('@noble/post-quantum/slh-dsa.js'));
const standard = 'const messageToIndices = base2b(K, A);';
const parts = readFileSync(source, 'utf8').split(standard);
if (parts.length !== 2) throw new Error('slh-dsa.js is not what it was: its indices are read elsewhere');
const round3 = `const messageToIndices = (digest) => Uint32Array.from({ length: K }, (_, tree) => {
    let index = 0;
    for (let i = 0, bit = tree * A; i < A; i++, bit++) index |= ((digest[bit >> 3] >> (bit & 7)) & 1) << i;
    return index;
});`;
// Beside the original, for its imports; a name of its own, since several of these programs may run.
const patched = source.replace('slh-dsa.js', `sphincs-${process.pid}.js`);
writeFileSync(patched, parts.join(round3));
let sphincs;
try {
  sphincs = await import(patched);
} finally {
  rmSync(patched);
}

const schemes = {
  slhdsa128s: sphincs.slh_dsa_sha2_128s.internal,
  slhdsa192s: sphincs.slh_dsa_sha2_192s.internal,
  slhdsa256s: sphincs.slh_dsa_sha2_256s.internal,
  mldsa44: ml_dsa44, mldsa65: ml_dsa65, mldsa87: ml_dsa87,
  fndsa512: falcon512, fndsa1024: falcon1024,
  mlkem512: ml_kem512, mlkem768: ml_kem768, mlkem1024: ml_kem1024,
};
const bytes = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (data) => Buffer.from(data).toString('hex');
const keys = {};

function answer({ op, name, ...given }) {
  const scheme = schemes[name];
  switch (op) {
    case 'keygen': {
      keys[name] = scheme.keygen();
      return { key: hex(keys[name].publicKey) };
    }
    case 'sign':
      return { signature: hex(scheme.sign(bytes(given.message), keys[name].secretKey)) };
    case 'verify': {
      try {
        return { valid: scheme.verify(bytes(given.signature), bytes(given.message), bytes(given.key)) };
      } catch {
        return { valid: false };
      }
    }
    case 'encapsulate': {
      const { cipherText, sharedSecret } = scheme.encapsulate(bytes(given.key));
      return { ciphertext: hex(cipherText), shared: hex(sharedSecret) };
    }
    case 'decapsulate':
      return { shared: hex(scheme.decapsulate(bytes(given.ciphertext), keys[name].secretKey)) };
    default:
      return { error: `unknown operation ${op}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}
