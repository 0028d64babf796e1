import { expect, it } from "vitest";
import { buildProgram } from "../program.ts";

it.each(["nosuch", "", "initial", "latest", "0a1b2c3d4e5"])(
  "--to %j is no tag to go back to, and history has them",
  async (to) => {
    const run = buildProgram(async () => {}).parseAsync(["rollback", "--to", to], { from: "user" });
    await expect(run).rejects.toMatchObject({
      code: "E_IMAGE_TAG_MALFORMED",
      value: to,
      remedy: expect.stringContaining("`history`"),
    });
  },
);
