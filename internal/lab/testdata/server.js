// Says where it is, answers each line, and ends with its standard input.
"use strict";
console.log("ready " + process.argv[2]);
process.stdin.on("data", (data) => process.stdout.write(data));
