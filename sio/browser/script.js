// What a script element gets: io, and nothing else.
import { io } from "./io.js";

globalThis.io = io;
