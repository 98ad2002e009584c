'use strict';

// An Express app as people write it: it knows nothing of gwctl but $HOST, $PORT and SIGTERM.

const express = require('express');

const app = express();
app.use(express.json());

app.get('/healthz', (req, res) => res.json({ status: 'ok' }));

app.get('/api/services', (req, res) => {
  res.json({ services: [{ id: 1, name: 'one' }], pid: process.pid });
});

app.post('/api/services', (req, res) => {
  res.status(201).location('/api/services/2').json(req.body);
});

app.get('/api/echo/:id', (req, res) => {
  res.json({
    id: req.params.id, query: req.query, path: req.path, host: req.headers.host,
    agent: req.headers['user-agent'], forwarded: req.headers['x-forwarded-for'],
  });
});

// No length known beforehand: Node sends this chunked.
app.get('/stream', async (req, res) => {
  res.type('text/plain');
  for (let n = 0; n < 100; n++) {
    res.write(`piece ${n}\n`);
    if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  res.end();
});

app.get('/empty', (req, res) => res.status(204).end());
app.get('/cookies', (req, res) => res.cookie('a', '1').cookie('b', '2').json({}));
app.get('/fail', () => { throw new Error('as asked'); });

const server = app.listen(process.env.PORT, process.env.HOST, () => {
  console.log(`express: pid ${process.pid} listens on ${process.env.HOST}:${process.env.PORT}`);
});

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
