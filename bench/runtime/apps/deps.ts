import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { Hono } from "hono";
import { z } from "zod";

/** What a real function loads before its first invocation. */
const dynamo = new DynamoDBClient({ region: "eu-central-1" });
const order = z.object({
  id: z.uuid(),
  lines: z.array(z.object({ sku: z.string(), count: z.int().min(1) })),
});
const note = z.object({ data: z.string().min(1) });

const app = new Hono();
app.get("/orders/:id", async (c) => {
  const { Item } = await dynamo.send(
    new GetItemCommand({ TableName: "orders", Key: { id: { S: c.req.param("id") } } }),
  );
  return c.json(order.parse(Item));
});
app.post("/notes", async (c) => c.json(note.parse(await c.req.json())));

/** Does what it can without a network: routes, and validates. */
export const handler = async (event: unknown) => {
  const response = await app.request("/notes", { method: "POST", body: JSON.stringify(event) });
  return response.json();
};
