/*
 * frames - what a caller asks for -> the frame of docs/protocol/socket.md, or a ParleyError that
 * says what is wrong with it. The server checks all of it again.
 */
import { ParleyError } from './errors.js';

export const FRAME_MAX = 65536;
export const MESSAGE_TEXT_MAX = 16384;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const bytes = text => new TextEncoder().encode(text).length;
const is_id = value => Number.isSafeInteger(value) && value > 0;

const refuse = (code, detail) => { throw new ParleyError(code, detail); };

function text_of(text) {
	/* A lone surrogate has no UTF-8: the server would refuse the whole frame without its uuid. */
	if (typeof text !== 'string' || !text || /\p{Surrogate}/u.test(text))
		refuse('bad_message', 'the text is missing, empty or not well-formed');
	if (bytes(text) > MESSAGE_TEXT_MAX)
		refuse('message_too_long', `a text has at most ${MESSAGE_TEXT_MAX} bytes of UTF-8`);
	return text;
}

const place_of = ({ conversation, seq }) => ({
	conversation: is_id(conversation) ? conversation : refuse('bad_conversation', 'no conversation'),
	seq: is_id(seq) ? seq : refuse('bad_seq', 'no seq'),
});

const BUILD = {
	message({ to, conversation, text, replyTo }) {
		if ((to === undefined) === (conversation === undefined))
			refuse('bad_conversation', 'a message has either `to` or `conversation`');
		if (!is_id(to ?? conversation))
			refuse(to === undefined ? 'bad_conversation' : 'bad_user', 'not an id');
		if (replyTo !== undefined && !is_id(replyTo))
			refuse('bad_seq', 'replyTo is the seq of a message');
		return { message: text_of(text), user_to: to, conversation, reply_to: replyTo };
	},
	edit: what => ({ type: 'edit', ...place_of(what), message: text_of(what.text) }),
	delete: what => ({ type: 'delete', ...place_of(what) }),
	react({ reaction, remove, ...what }) {
		if (typeof reaction !== 'string' || !reaction || /\p{Surrogate}/u.test(reaction))
			refuse('bad_reaction', 'the reaction is missing or not well-formed');
		return { type: 'react', ...place_of(what), reaction, remove: remove ? true : undefined };
	},
};

/* kind: message, edit, delete or react. Members that are undefined are not sent. */
export function build_frame(kind, uuid, what) {
	if (!UUID.test(uuid))
		refuse('bad_uuid', 'not a UUID');
	const frame = { uuid: uuid.toLowerCase(), ...BUILD[kind](what) };
	/* Escapes of JSON may make a text that is short enough into a frame that is too long. */
	if (bytes(JSON.stringify(frame)) > FRAME_MAX)
		refuse('message_too_long', `a frame has at most ${FRAME_MAX} bytes`);
	return JSON.parse(JSON.stringify(frame));
}
