//! What an empty history greets with: three ways to the first event, each with a line to copy.
import { command } from './command.js';
import { h } from './dom.js';

/** `info`: the answer of `scopes`. `origin`: where the server is. */
export function welcome(info, origin) {
  const ways = [
    [
      'Make a trail',
      'Point the AWS CLI here. Any keys will do; the call itself is the first event.',
      `aws --endpoint-url ${origin} cloudtrail create-trail --name first --s3-bucket-name logs`,
    ],
    [
      'Import events you have',
      'Log files, NDJSON, or answers of lookup-events, moved to now.',
      'contrail import ./CloudTrail-logs/ --rebase now',
    ],
    [
      'Record an emulator',
      'Start Contrail in front of it, and send your calls here.',
      'contrail --upstream http://127.0.0.1:4566',
    ],
  ];
  const way = ([title, text, line]) => h('li', null, h('h3', null, title), h('p', null, text), command(title, line));
  const note =
    info.server.era === '2015' &&
    'In the era of 2015 LookupEvents lists changes while a trail is logging (start-logging). This page shows every call.';
  return h('div', { class: 'welcome' }, h('ol', null, ways.map(way)), note && h('p', null, note));
}
