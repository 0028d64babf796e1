import { expect, it } from "vitest";
import { findSettings, type SettingsOverride } from "./function-settings.ts";
import { functionOn } from "./testing/templates.ts";

const defaults = findSettings(functionOn("dev"), {});
const override: SettingsOverride = {
  timeoutSeconds: 30,
  environment: { LOG_LEVEL: "info", TABLE: "orders-test" },
  stages: { prod: { memoryMiB: 1769, environment: { TABLE: "orders" } } },
};

it("a stage's settings come before the function's, and those before the defaults", () => {
  const table = { "lambda-app": override };
  expect(findSettings(functionOn("dev"), table)).toEqual({
    ...defaults,
    timeoutSeconds: 30,
    environment: { ...defaults.environment, LOG_LEVEL: "info", TABLE: "orders-test" },
  });
  expect(findSettings(functionOn("prod"), table)).toEqual({
    ...defaults,
    memoryMiB: 1769,
    timeoutSeconds: 30,
    environment: { ...defaults.environment, LOG_LEVEL: "info", TABLE: "orders" },
  });
});

it("another function's settings are its own", () => {
  expect(findSettings(functionOn("prod"), { orders: override })).toEqual(defaults);
});

it("a stage that isn't there is refused by the compiler", () => {
  // @ts-expect-error: no stage has that name
  const misspelt: SettingsOverride = { stages: { production: { memoryMiB: 1769 } } };
  expect(misspelt).toBeDefined();
});
