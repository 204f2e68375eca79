// Starts the real amagi server of the folder it is run in, with Douyin played by this file.
//
//     node amagi.mjs WORKS FIXTURES ASKED
//
// What the platform answers for which work stands in WORKS; each question to it becomes a line
// of ASKED. Nothing leaves this machine, and nothing listens but on 127.0.0.1.
import { appendFileSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import dns from "node:dns";
import http from "node:http";
import https from "node:https";
import net from "node:net";

const LOOPBACK = "127.0.0.1";
const [file, fixtures, asked] = process.argv.slice(2);
const works = new Map(JSON.parse(readFileSync(file, "utf8")).map((work) => [work.id, work]));

// A document of the platform: about the work asked for, unless the case says otherwise.
function document(answer, id) {
  const body = answer.body ?? JSON.parse(readFileSync(`${fixtures}/${answer.file}`, "utf8"));
  const told = body.data ?? body;
  for (const about of [told.aweme_detail, told.filter_detail]) {
    if (about) about.aweme_id = answer.about ?? id;
  }
  return JSON.stringify(told);
}

// Douyin. The last answer of a work stands for all that follow.
const platform = http.createServer((request, response) => {
  const id = new URL(request.url, "https://www.douyin.com").searchParams.get("aweme_id");
  appendFileSync(asked, `${id}\n`);
  const { platform: answers } = works.get(id);
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  if (answer.reset) return request.socket.destroy();
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.end(answer.text ?? document(answer, id));
});
await new Promise((listening) => platform.listen(0, LOOPBACK, listening));

// Every question over TLS goes to it, and nothing else with a name is found.
const { port } = platform.address();
https.request = (options, done) =>
  http.request({ ...options, agent: undefined, protocol: "http:", host: LOOPBACK,
    hostname: LOOPBACK, port }, done);
const lookup = dns.lookup;
dns.lookup = (name, ...rest) =>
  name === LOOPBACK ? lookup(name, ...rest) : rest.at(-1)(new Error(`${name} is out of reach`));

// amagi would listen on every address.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port) {
  return listen.call(this, port, LOOPBACK, () =>
    console.log(`listening on http://${LOOPBACK}:${this.address().port}`));
};
const amagi = createRequire(`${process.cwd()}/`)("@ikenxuan/amagi").default;
amagi({ cookies: { douyin: "invented=1" } }).startServer(0);
