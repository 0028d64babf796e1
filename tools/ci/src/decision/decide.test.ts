import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";

const functions = ["payments", "lambda-app"];
const decideFor = (...affected: string[]) =>
  decide({ base: "b", head: "h", why: "because", affected, functions });

describe("decide", () => {
  it("deploys before it releases where both have something to do", () => {
    expect(decideFor("lambda-app", "infra", "shared-config")).toEqual({
      base: "b",
      head: "h",
      why: "because",
      deploy: ["lambda-app", "payments"],
      release: ["lambda-app"],
      order: ["infra:deploy", "lambda-app:release"],
    });
  });

  it("only deploys for infra", () => {
    expect(decideFor("infra")).toMatchObject({ release: [], order: ["infra:deploy"] });
  });

  it("only releases for an app, and only that one", () => {
    expect(decideFor("payments", "e2e")).toMatchObject({ deploy: [], order: ["payments:release"] });
  });

  it("does nothing where neither is affected", () => {
    expect(decideFor("shared-config", "docker")).toMatchObject({ deploy: [], release: [], order: [] });
  });

  it("gives the same order whatever order the projects come in", () => {
    expect(decideFor("payments", "lambda-app")).toEqual(decideFor("lambda-app", "payments"));
  });
});
