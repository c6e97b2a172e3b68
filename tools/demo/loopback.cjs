// Keeps a Node server that names no host on 127.0.0.1: `node --require ./loopback.cjs SERVER`.
'use strict';
const { Server } = require('node:net');
const listen = Server.prototype.listen;
Server.prototype.listen = function (first, ...rest) {
  if (first !== null && typeof first === 'object' && 'port' in first && !first.host) first = { ...first, host: '127.0.0.1' };
  else if (/^\d+$/.test(String(first)) && typeof rest[0] !== 'string') rest.unshift('127.0.0.1');
  return listen.call(this, first, ...rest);
};
