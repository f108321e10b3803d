// Answers one JSON request a line on standard input with one JSON line on standard output.
// Byte strings are hexadecimal.
import { createInterface } from 'node:readline';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { falcon512, falcon1024 } from '@noble/post-quantum/falcon.js';

const schemes = {
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
