import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { Hono } from "hono";
import { z } from "zod";

/** What a real function loads before its first invocation. */
const dynamo = new DynamoDBClient({ region: "eu-central-1" });
const order = z.object({
  id: z.uuid(),
  lines: z.array(z.object({ sku: z.string(), count: z.int().min(1) })),
});

const app = new Hono();
app.get("/orders/:id", async (c) => {
  const { Item } = await dynamo.send(
    new GetItemCommand({ TableName: "orders", Key: { id: { S: c.req.param("id") } } }),
  );
  return c.json(order.parse(Item));
});

export const handler = async (event: { rawPath?: string }) =>
  event.rawPath === undefined ? event : (await app.request(event.rawPath)).json();
