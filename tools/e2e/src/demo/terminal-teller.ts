import { execa } from "execa";
import pc from "picocolors";
import type { Teller } from "../story/story.ts";
import type { World } from "../story/world.ts";

/** Tells a story to a person: each command, what it printed, how long it took, and what holds after it. */
export function createTerminalTeller(world: World, print: (line: string) => void): Teller {
  let steps = 0;
  const shown = (line: string) => print(`  ${pc.dim("│")} ${pc.dim(line)}`);
  const took = (startedMs: number) => pc.dim(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return {
    step(title) {
      steps += 1;
      print(`\n${pc.bold(`${steps}. ${title}`)}`);
    },
    async command(...argv) {
      print(`  ${pc.cyan(`$ ${argv.join(" ")}`)}`);
      const startedMs = performance.now();
      const [file = "", ...rest] = argv;
      const child = execa(file, rest, {
        cwd: world.scratch.directory,
        env: world.environment,
        extendEnv: false,
        stdin: "ignore",
        lines: false,
        all: true,
      });
      for await (const line of child.iterable({ from: "all" })) if (line.trim() !== "") shown(line);
      const { stdout } = await child;
      print(`  ${took(startedMs)}`);
      return stdout;
    },
    edit(path, from, to, message) {
      print(`  ${pc.cyan(`$ edit ${path} && git commit`)}`);
      print(`  ${pc.red(`- ${from}`)}`);
      print(`  ${pc.green(`+ ${to}`)}`);
      return world.scratch.edit(path, from, to, message);
    },
    async get(path) {
      const startedMs = performance.now();
      const answer = await world.get(path);
      print(`  ${pc.cyan(`GET ${answer.url}`)}`);
      shown(`${answer.status} ${answer.body}`);
      print(`  ${took(startedMs)}`);
      return answer;
    },
    holds(fact, got, ok) {
      if (!ok) throw new Error(`does not hold: ${fact} (got ${JSON.stringify(got)})`);
      print(`  ${pc.green("✓")} ${fact}`);
    },
  };
}
