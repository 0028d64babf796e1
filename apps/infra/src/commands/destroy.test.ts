import { expect, it } from "vitest";
import { functionOn } from "../testing/templates.ts";
import { describeLeft } from "./destroy.ts";

it("says of each thing that stays how it is removed", () => {
  const left = describeLeft(functionOn("dev"));
  expect(left.map(({ what }) => what).join("\n")).toContain("/lambda-app/dev/image-tag");
  expect(left.map(({ what }) => what).join("\n")).toContain("repository lambda-app-dev");
  for (const { removedBy } of left) expect(removedBy).toMatch(/^aws /);
});
