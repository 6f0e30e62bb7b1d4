// What must not compile: each line below an expected error has one.
import { Client } from '@parley/client';

// @ts-expect-error: the address is missing
new Client({});
const client = new Client({ url: '/' });
// @ts-expect-error: a message goes to a user or into a conversation
client.send({ text: 'hi' });
// @ts-expect-error: not to both
client.send({ to: 2, conversation: 17, text: 'hi' });
// @ts-expect-error: a message has a text
client.send({ to: 2 });
// @ts-expect-error: an id is a number
client.typing('17');
// @ts-expect-error: a change names a message
client.delete({ conversation: 17 });
// @ts-expect-error: there is no such event
client.on('messages', () => {});
// @ts-expect-error: a status is one of three
client.on('status', status => status === 'online');
// @ts-expect-error: a member entry has no text
client.on('member', entry => entry.message);
// @ts-expect-error: saved is a promise
client.send({ to: 2, text: 'hi' }).saved.seq;
// @ts-expect-error: the status is not to be set
client.status = 'offline';
// @ts-expect-error: a user may be absent
client.user.name;
