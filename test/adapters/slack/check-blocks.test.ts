/** The limits of Block Kit that the server that plays Slack insists on. */

import { expect } from 'chai';
import { checkBlocks, checkView } from '../../support/slack/check-blocks.ts';

const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text });
const long = (length: number) => 'x'.repeat(length);
const many = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index));
const button = (more: object = {}) => ({ type: 'button', text: plain('Go'), ...more });
const option = (index: number) => ({ text: plain(`${index}`), value: `${index}` });
const select = (more: object) => ({ type: 'static_select', action_id: 's', ...more });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const input = (element: object) => ({ type: 'input', label: plain('Name'), element });

describe('Slack test server: Block Kit limits', () => {
  const fits: [string, object[]][] = [
    ['50 blocks', many(50, () => ({ type: 'divider' }))],
    ['a section of 3,000', [{ type: 'section', text: mrkdwn(long(3000)) }]],
    ['10 fields of 2,000', [{ type: 'section', fields: many(10, () => mrkdwn(long(2000))) }]],
    ['a header of 150', [{ type: 'header', text: plain(long(150)) }]],
    ['25 elements', [actions(...many(25, (index) => button({ action_id: `${index}` })))]],
    ['a button of 75 with a value of 2,000', [actions(button({ text: plain(long(75)), value: long(2000) }))]],
    ['a select of 100', [actions(select({ options: many(100, option) }))]],
    ['an overflow of 5', [actions({ type: 'overflow', options: many(5, option) })]],
    ['10 elements of context', [{ type: 'context', elements: many(10, () => mrkdwn('x')) }]],
    ['markdown of 12,000', [{ type: 'markdown', text: long(12_000) }]],
    ['the same action_id in two blocks', [actions(button({ action_id: 'a' })), actions(button({ action_id: 'a' }))]],
  ];
  for (const [what, blocks] of fits) it(`takes ${what}`, () => expect(checkBlocks(blocks)).to.deep.equal([]));

  const refused: [string, object[]][] = [
    ['51 blocks', many(51, () => ({ type: 'divider' }))],
    ['a section of 3,001', [{ type: 'section', text: mrkdwn(long(3001)) }]],
    ['an empty section', [{ type: 'section' }]],
    ['an empty text', [{ type: 'section', text: mrkdwn('') }]],
    ['11 fields', [{ type: 'section', fields: many(11, () => mrkdwn('x')) }]],
    ['a field of 2,001', [{ type: 'section', fields: [mrkdwn(long(2001))] }]],
    ['a header of 151', [{ type: 'header', text: plain(long(151)) }]],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn('x') }]],
    ['26 elements', [actions(...many(26, (index) => button({ action_id: `${index}` })))]],
    ['no elements', [actions()]],
    ['a button of 76', [actions(button({ text: plain(long(76)) }))]],
    ['a button in mrkdwn', [actions(button({ text: mrkdwn('x') }))]],
    ['a value of 2,001', [actions(button({ value: long(2001) }))]],
    ['an unknown style', [actions(button({ style: 'default' }))]],
    ['an option of 76', [actions(select({ options: [{ text: plain(long(76)), value: 'x' }] }))]],
    ['an option value of 151', [actions(select({ options: [{ text: plain('x'), value: long(151) }] }))]],
    ['101 options', [actions(select({ options: many(101, option) }))]],
    ['a select of nothing', [actions(select({}))]],
    ['an overflow of 6', [actions({ type: 'overflow', options: many(6, option) })]],
    ['11 elements of context', [{ type: 'context', elements: many(11, () => mrkdwn('x')) }]],
    ['a button in context', [{ type: 'context', elements: [button()] }]],
    ['an image without text alternative', [{ type: 'image', image_url: 'https://example.com/a.png' }]],
    ['two equal action_ids in a block', [actions(button({ action_id: 'a' }), button({ action_id: 'a' }))]],
    ['an action_id of 256', [actions(button({ action_id: long(256) }))]],
    ['two equal block_ids', many(2, () => ({ type: 'divider', block_id: 'a' }))],
    [
      'markdown of 12,001 together',
      [
        { type: 'markdown', text: long(12_000) },
        { type: 'markdown', text: 'x' },
      ],
    ],
    ['an unknown block', [{ type: 'carousels' }]],
    ['an unknown key', [{ type: 'divider', colour: 'red' }]],
    ['two tables', many(2, () => ({ type: 'table', rows: [[{ type: 'raw_text', text: 'x' }]] }))],
  ];
  for (const [what, blocks] of refused) it(`refuses ${what}`, () => expect(checkBlocks(blocks)).not.to.deep.equal([]));

  it('says where', () => {
    const [problem] = checkBlocks([{ type: 'divider' }, { type: 'section', text: mrkdwn(long(3001)) }]);
    expect(problem).to.contain('[json-pointer:/blocks/1/text/text]');
  });

  it('looks at views', () => {
    const modal = {
      type: 'modal',
      title: plain('Deploy'),
      submit: plain('Go'),
      blocks: [input({ type: 'plain_text_input' })],
    };
    expect(checkView(modal)).to.deep.equal([]);
    expect(checkView({ type: 'home', blocks: many(100, () => ({ type: 'divider' })) })).to.deep.equal([]);
    for (const wrong of [
      { ...modal, title: undefined },
      { ...modal, title: plain(long(25)) },
      { ...modal, submit: undefined },
      { ...modal, private_metadata: long(3001) },
      { ...modal, blocks: many(101, () => ({ type: 'divider' })) },
      { ...modal, color: 'red' },
    ])
      expect(checkView(wrong)).not.to.deep.equal([]);
  });
});
