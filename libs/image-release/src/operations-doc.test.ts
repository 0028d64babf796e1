import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exitCodeMeanings, exitCodes, stageNames } from "@workspace/shared-config";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { buildProgram } from "./program.ts";

const operations = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");
/** The words of a help, without the names of the stages: a team may add one, and then lines break elsewhere. */
const readWords = (help: string) =>
  [stageNames.join(", "), "local, dev, prod"].reduce(
    (words, names) => words.replaceAll(names, "STAGES"),
    help.split(/\s+/).join(" ").trim(),
  );
const commands = buildProgram(async () => {}).commands.map((command) => command.name());

describe("docs/operations.md", () => {
  it("has a section for each command, in the order of the help", () => {
    const sections = [...operations.matchAll(/^\$ image-release (\w+) --help$/gm)].map(([, name]) => name);
    expect(sections).toEqual(commands);
  });

  it.each(commands)("has the help of %s as the command prints it", async (name) => {
    const launcher = join(import.meta.dirname, "../bin/image-release");
    const { stdout } = await execa(launcher, [name, "--help"]);
    const documented = new RegExp(`^\\$ image-release ${name} --help\\n([^]*?)\\n\`\`\``, "m").exec(
      operations,
    )?.[1];
    expect(readWords(documented ?? "")).toBe(readWords(stdout));
  });

  it.each(Object.values(exitCodes))("says of exit code %i what the commands say", (code) => {
    const row = new RegExp(`^\\| ${code} +\\| (.+?) +\\|$`, "m").exec(operations);
    expect(row?.[1]).toBe(exitCodeMeanings[code]);
  });

  it.each([
    "A bad release is live",
    "Tag and function disagree",
    "The lease is stuck",
    "The published image is missing",
    "The parameter was deleted",
  ])("has the incident page %j", (title) => expect(operations).toContain(`### ${title}\n`));
});
