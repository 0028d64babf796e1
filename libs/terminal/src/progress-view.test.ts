import { describe, expect, it } from "vitest";
import { createPlainProgressView } from "./progress-view.ts";

describe("createPlainProgressView", () => {
  it("writes a line for each thing that happens, and none twice in a row", () => {
    let written = "";
    const view = createPlainProgressView((text) => (written += text));
    view.show({ kind: "step", text: "builds" });
    view.detail("layer 1 of 3");
    view.detail("layer 1 of 3");
    view.show({ kind: "warning", text: "slow" });
    view.end("succeeded");
    expect(written).toBe("builds\n  layer 1 of 3\nwarning: slow\n");
  });
});
