// Reads a request of the compiler's standard JSON form on standard input, writes the answer.
const solc = require("solc");
let input = "";
process.stdin.on("data", (part) => (input += part));
process.stdin.on("end", () => process.stdout.write(solc.compile(input)));
