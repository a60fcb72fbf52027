"""The long way round: what a thinker writes who goes through everything one by one before deciding."""

from collections.abc import Iterator
from dataclasses import dataclass

from .dice import Dice

ITEMS = 86


@dataclass(frozen=True)
class Walk:
    """Many small looks: each item is what is seen, what is thought of it and where that leads."""

    start: str
    item: str
    seen: tuple[str, ...]
    thought: tuple[str, ...]
    onward: tuple[str, ...]
    end: str


WALKS = {
    "operations": Walk(
        "Since I have no graph, let me imagine the readings minute by minute and ask what each would tell. "
        "If they looked like this, what would I conclude? It is long, but it tells me which measurements are "
        "worth asking for.",
        "Minute {n}.",
        (
            "Throughput {a} % of the mean, waiting {b} ms.",
            "A short dip, {a} % of the usual, back within {b} seconds.",
            "Flat: {a} % use of the pool, nothing waits longer than {b} ms.",
            "A burst of {a} requests, then silence.",
            "Retries rise to {b} in a minute while arrivals stay at {a} %.",
            "One node takes {a} % of all the work.",
            "Processor at {a} %, disk quiet, {b} connections open.",
            "Two slow calls of {b} ms, the others normal.",
        ),
        (
            "That alone says nothing; it would have to come back.",
            "It speaks for waiting and against a crash.",
            "I would have called this noise if it were not the third time.",
            "A garbage collection would look different.",
            "This fits the first explanation, but it fits the second one just as well.",
            "If the cause were load, the next reading should be worse.",
            "Averages would hide it completely.",
            "Here I would want to see the log line by line, not the graph.",
            "It may be a job that starts on the minute.",
        ),
        (
            "So I keep both explanations.",
            "I note it and go on.",
            "Not enough to act on.",
            "Next.",
            "That makes the simple explanation a bit more likely.",
            "A reason to ask for the raw numbers.",
            "I must not read too much into one minute.",
            "Worth a line in the note, no more.",
            "If I had to bet now, I would bet on waiting.",
        ),
        "That was a long way to a small result: what separates the explanations is whether waiting and use "
        "rise together, so this is what I should ask to be measured. Everything else can wait.",
    ),
    "code": Walk(
        "I cannot run it here, so let me go through cases by hand, one after the other, and see whether "
        "anything breaks. Tedious, but I trust it more than a feeling.",
        "Case {n}.",
        (
            "Input of {a} elements, {b} of them equal.",
            "Empty on one side, {a} entries on the other.",
            "The order is reversed and {b} values repeat.",
            "Starts {b} ms late, everything else the same.",
            "A value just below the limit, {a}, then one at the limit.",
            "The same call twice, {b} ms apart.",
            "Two callers at once, {a} items each.",
            "A name of {a} characters with an accent in it.",
        ),
        (
            "The loop runs once more than I thought, but the result is the same.",
            "Nothing new: as before.",
            "Here the old code would have been slow and right.",
            "It holds, since nothing depends on the order here.",
            "I had to look twice: the index is the old one until the commit.",
            "This would fail without the guard.",
            "The happy path; it only confirms what I know.",
            "Interesting, as this is what the test leaves out.",
            "If the clock jumps here, the deadline moves with it, unless it is monotonic.",
        ),
        (
            "Fine.",
            "Passes.",
            "I'd keep this one as a test.",
            "No change needed.",
            "Good, go on.",
            "That deserves a comment in the code.",
            "So the guard stays.",
            "Covered by the case before, I can drop it.",
            "Passes, but for a reason that I should write down.",
        ),
        "So in all those cases the behaviour depends on one thing only, and it is the one named at the "
        "start. Three or four of them are worth keeping as tests, the others were variations.",
    ),
    "estimation": Walk(
        "How sensitive is this? Let me vary the inputs one at a time and see how far the result moves, and "
        "which of them matters at all.",
        "Variation {n}.",
        (
            "First input {b} % higher, the others as given.",
            "First input {b} % lower.",
            "Everything rounded to tens.",
            "Second input {b} % higher and the first one {b} % lower.",
            "Only {a} cases in place of all of them.",
            "Suppose {b} in a hundred did not understand the question.",
            "Leaving out the most extreme {b} values.",
            "Counting every answer twice, as a test of the formula.",
        ),
        (
            "The result moves by about half as much, because of the root.",
            "Hardly any change in the first two digits.",
            "The share changes, the width stays.",
            "That is a linear effect, it passes through unchanged.",
            "Both effects cancel almost completely.",
            "Now the width is what moves and the centre stays.",
            "The formula gives a narrower range, which would be wrong: no new information came in.",
            "I get the same as in my head, which is reassuring.",
        ),
        (
            "The conclusion stands.",
            "Same side of the limit.",
            "So this input is not the one to worry about.",
            "Noted.",
            "It would matter only if it were three times as large.",
            "That's within the rounding.",
            "A hint that the assumption of a random choice carries more weight.",
            "On to the next one.",
        ),
        "After all that: the result is stable against everything except the size of the sample and the way "
        "it was drawn. So these are the two things to mention, and the rest is decoration.",
    ),
    "advice": Walk(
        "Let me try this sentence by sentence, in several versions, and listen to how each sounds to the "
        "person who has to decide.",
        "Version {n}.",
        (
            "Number first, {a} words, no adjective.",
            "A friendly start and the number in sentence {b}.",
            "Only facts, {a} words.",
            "Cause first, then the number.",
            "As a list of {b} points.",
            "With a quotation from somebody who took part.",
            "A question at the end, {a} words in all.",
            "The shortest I can think of: {b} words and the number.",
        ),
        (
            "It reads well, but the reader has to look for the number.",
            "Honest, and a little cold.",
            "One could take the cause for an excuse in this order.",
            "This is what I would like to receive myself.",
            "The word 'only' has to go, it judges before the reader can.",
            "Too clever; it draws attention to itself.",
            "It hides nothing, though it could thank the people who did the work.",
            "A reader in a hurry would come away with the wrong impression.",
        ),
        (
            "Keep the first half.",
            "No.",
            "Better than the one before.",
            "I'd use its ending.",
            "Too long still.",
            "Good enough to compare others with.",
            "Drop it.",
            "Closer.",
            "This order may be the right one.",
        ),
        "Having gone through these, the order is clear to me: number, cause, what worked, what changes, what "
        "we ask for. Most versions that felt wrong had pushed the number out of the first sentence.",
    ),
}


def walk(domain: str, dice: Dice) -> list[str]:
    """The passage for a domain as paragraphs of a few items each, between its start and its end."""
    told = WALKS[domain]
    seen, thought, onward = (_deck(dice, cards) for cards in (told.seen, told.thought, told.onward))
    items = []
    for number in range(1, ITEMS + 1):
        line = " ".join([told.item, next(seen), next(thought)])
        if dice.chance() < 0.85:
            line += " " + next(thought)
        if dice.chance() < 0.7:
            line += " " + next(onward)
        items.append(line.format(n=number, a=12 + dice.below(80), b=2 + dice.below(38)))
    paragraphs, at = [told.start], 0
    while at < len(items):
        step = 2 + dice.below(4)
        paragraphs.append(" ".join(items[at : at + step]))
        at += step
    return [*paragraphs, told.end]


def _deck(dice: Dice, cards: tuple[str, ...]) -> Iterator[str]:
    """The cards in one order after the other, so that none comes back before the others were seen."""
    while True:
        yield from dice.shuffled(cards)
