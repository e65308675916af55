// Loads every package by its bare name, as scripts of other packages do.
"use strict";
const { dependencies } = require("../node/package.json");

for (const name of Object.keys(dependencies)) require(name);
if (process.env.LAB_STATUS) process.exit(Number(process.env.LAB_STATUS));
import("socket.io").then(({ Server }) => console.log("loaded", new Server().path()));
