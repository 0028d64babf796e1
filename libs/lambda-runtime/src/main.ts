import { runEngine } from "./engine.ts";

void runEngine(process.env);
