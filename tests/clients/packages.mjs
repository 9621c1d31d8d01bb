// The npm packages ollama, openai and @anthropic-ai/sdk: node packages.mjs URL. The first difference ends it.
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";

const [url, answer] = process.argv.slice(2);
const messages = [{ role: "user", content: "Hi" }];
const parameters = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const tools = [{ type: "function", function: { name: "add", description: "Adds.", parameters } }];
const options = { temperature: 0 };

const ollama = new Ollama({ host: url });
assert.equal((await ollama.list()).models.length, 3);
assert.equal((await ollama.chat({ model: "tiny", messages, options })).message.content, answer);
let said = "";
for await (const part of await ollama.chat({ model: "tiny", messages, options, stream: true })) said += part.message.content;
assert.equal(said, answer);
const called = await ollama.chat({ model: "agreeing", messages, tools, options });
assert.deepEqual(called.message.tool_calls[0].function.arguments, { a: 1 });
assert.equal((await ollama.embed({ model: "tiny", input: ["a", "b"] })).embeddings.length, 2);
await assert.rejects(ollama.chat({ model: "nope", messages }), { name: "ResponseError", status_code: 404 });

const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
const asked = { messages, temperature: 0 };
assert.equal((await openai.chat.completions.create({ model: "tiny", ...asked })).choices[0].message.content, answer);
said = "";
for await (const part of await openai.chat.completions.create({ model: "tiny", ...asked, stream: true })) said += part.choices[0]?.delta.content ?? "";
assert.equal(said, answer);
const call = (await openai.chat.completions.create({ model: "agreeing", ...asked, tools })).choices[0].message.tool_calls[0];
assert.deepEqual(JSON.parse(call.function.arguments), { a: 1 });
assert.equal((await openai.embeddings.create({ model: "tiny", input: ["a", "b"] })).data.length, 2);
await assert.rejects(openai.chat.completions.create({ model: "nope", ...asked }), OpenAI.NotFoundError);

const anthropic = new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0 });
const limited = { messages, max_tokens: 100, temperature: 0 };
assert.equal((await anthropic.messages.create({ model: "tiny", ...limited })).content[0].text, answer);
assert.equal(await anthropic.messages.stream({ model: "tiny", ...limited }).finalText(), answer);
const used = await anthropic.messages.create({ model: "agreeing", ...limited, tools: [{ name: "add", input_schema: parameters }] });
assert.deepEqual(used.content.find((block) => block.type === "tool_use").input, { a: 1 });
await assert.rejects(anthropic.messages.create({ model: "nope", ...limited }), Anthropic.NotFoundError);
