import { expect, it } from "vitest";
import { stageNames, stages } from "./stages.ts";

const onAws = stageNames.map((name) => stages[name]).filter(({ launcher }) => launcher === undefined);

it.each(onAws)("on AWS, the URL of a function on $name is open to nobody who doesn't sign", (stage) => {
  expect([undefined, "AWS_IAM"]).toContain(stage.functionUrlAuth);
});
