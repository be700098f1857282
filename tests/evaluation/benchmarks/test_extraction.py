"""What replies say, each case read by hand: multiple choice, integers, floats, lists; and the score that follows."""

from __future__ import annotations

import pytest

from tests.evaluation.benchmarks.make import choice, problem
from vision_zero.evaluation.benchmarks.extraction.answer import extract
from vision_zero.evaluation.benchmarks.extraction.numbers import numbers_in
from vision_zero.evaluation.benchmarks.mathvista import Problem, mathvista_verdict

ANGLES = ("135°", "140°", "145°", "150°")
FOOD = ("remains the same", "decrease", "increase", "NA")
TIME = ("half", "quarter", "o'clock", "quarter to", "quarter past")
ROOTS = ("6", r"6 \sqrt { 2 }", r"6 \sqrt { 3 }", r"6 \sqrt { 5 }")
SINES = (r"\frac{2}{3}", r"\frac{3}{5}", r"\frac{3}{4}", r"\frac{4}{5}")
YES_NO = ("Yes", "No")
SNAKES = ("garter snakes", "hognose snakes", "hawks", "grasshoppers")
SOLUTIONS = ("neither; their concentrations are the same", "Solution B", "Solution A")
GEOS = ("3", "5", "6", "7", "It cannot be determined from the information given")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "question", "choices", "extraction", "prediction"),
    [
        # An exact choice, a letter, a letter with its choice.
        ("145°", "Find ∠BOC.", ANGLES, "145°", "145°"),
        ("C", "Find ∠BOC.", ANGLES, "C", "145°"),
        ("c", "Find ∠BOC.", ANGLES, "C", "145°"),
        (" (C) ", "Find ∠BOC.", ANGLES, "C", "145°"),
        ("(B) decrease", "What happens?", FOOD, "B", "decrease"),
        ("B) decrease", "What happens?", FOOD, "B", "decrease"),
        ("C. The angle is twice the other one.", "Find ∠BOC.", ANGLES, "C", "145°"),
        ("145 degrees", "Find ∠BOC.", ANGLES, "C", "145°"),
        ("(E) E.", "Which object comes next?", tuple("ABCDE"), "E", "E"),
        # Boxes and tags.
        (r"Adding gives \boxed{C}.", "Find ∠BOC.", ANGLES, "C", "145°"),
        (r"So the answer is $\boxed{\text{(A) } 135^\circ}$.", "Find ∠BOC.", ANGLES, "A", "135°"),
        (r"$\boxed{145^\circ}$ follows.", "Find ∠BOC.", ANGLES, "C", "145°"),
        (r"<think>It may be A. The answer is A.</think> Hence \boxed{\text{D}}", "Find ∠BOC.", ANGLES, "D", "150°"),
        ("I count. <answer>C</answer>", "Find ∠BOC.", ANGLES, "C", "145°"),
        (r"The answer is (C). Here is why: BOC is \boxed{90^\circ + \sqrt{2}}.", "Find ∠BOC.", ANGLES, "C", "145°"),
        (r"First \boxed{A}, no: \boxed{B}", "Find ∠BOC.", ANGLES, "B", "140°"),
        # Announced.
        ("The answer is (C), 145°.\n\n(A) is wrong because ... Option (B) is incorrect.", "Find ∠BOC.", ANGLES, "C", "145°"),
        ("The answer is A. Wait. On reflection the correct answer is B.", "Find ∠BOC.", ANGLES, "B", "140°"),
        ("The correct answer is not A, it is B.", "Find ∠BOC.", ANGLES, "B", "140°"),
        ("**Answer:** B", "Find ∠BOC.", ANGLES, "B", "140°"),
        ("### Final Answer:\nB. 140°", "Find ∠BOC.", ANGLES, "B", "140°"),
        ("Thus, the answer is D (150°).", "Find ∠BOC.", ANGLES, "D", "150°"),
        ("Therefore the answer is 145°.", "Find ∠BOC.", ANGLES, "C", "145°"),
        ("所以选B", "∠BOC＝（）", ANGLES, "B", "140°"),
        ("因此∠AOD的度数是125°\n\n答案是A（135°）。", "∠BOC＝（）", ANGLES, "A", "135°"),
        ("D is the correct answer.", "Find ∠BOC.", ANGLES, "D", "150°"),
        ("Therefore ∠BOC = 145°, which corresponds to option C.", "Find ∠BOC.", ANGLES, "C", "145°"),
        # The question that the model made up afterwards is not its answer.
        ("The answer is B.\n\nQuestion: What is next?\nChoices:\n(A) 2\n(B) 3\n\nThe answer is C.", "?", FOOD, "B", "decrease"),
        # Words of a choice.
        ("If all the grass died, the most affected would be the grasshoppers, as they feed the garter snakes and hognose snakes.",
         "If all the grass died, what would be most affected?", SNAKES, "D", "grasshoppers"),
        ("Solution A has a higher concentration than Solution B.", "Which solution has more?", SOLUTIONS, "C", "Solution A"),
        ("It would increase.", "What happens?", FOOD, "C", "increase"),
        ("The time is quarter past eight.", "What time is shown? It is (_) eight.", TIME, "E", "quarter past"),
        ("The clock shows 6:30.", "What time is shown? It is (_) past six.", TIME, "A", "half"),
        ("You get it from the salami and cheese.", "Which has protein?", ("salami", "wine", "cheese", "bread"), "A", "salami"),
        ("If plants were short, grasshoppers would be most affected.", "Which?", ("Grasshopper", "Snake"), "A", "Grasshopper"),
        ("It would be the Frog, which eats them.", "Which animal lacks food?", ("Rabbit", "Deer", "Frogs"), "C", "Frogs"),
        ("There is insufficient information, so I will select \"B\" for no.", "Is Salmon the roughest?", YES_NO, "B", "No"),
        # Values.
        ("Based on the figure, the length of AC is 5 cm.", "The length of AC is ()", ("6cm", "7cm", "4cm", "5cm"), "D", "5cm"),
        ("If RL = 5, RT = 9, and WS = 6, find RW.\nIt is (9^2 - 5^2) / 5\nRW = 6.6", "If RL = 5, RT = 9, and WS = 6, find RW.",
         ("5.4", "6", "6.6", "7.5"), "C", "6.6"),
        ("E is the midpoint of AB, so DE is 6.", "E is on AB. The length of DE is ()", ("6.5", "6", "5.5", "5"), "B", "6"),
        ("So z = 6√5.", "Find z.", ROOTS, "D", r"6 \sqrt { 5 }"),
        (r"Hence $z = 6\sqrt{2}$.", "Find z.", ROOTS, "B", r"6 \sqrt { 2 }"),
        ("The value of sinB is 4/5.", "The value of sinB is ()", SINES, "D", r"\frac{4}{5}"),
        ("∠DAE = 110° - 70° = 40°.", "∠DAE is ()", ("30°", "40°", "50°", "70°"), "B", "40°"),
        ("Given that ∠A = 40.0, the degree of ∠B is 80°.", "The degree of ∠B is ()", ("80°", "60°", "50°", "40°"), "A", "80°"),
        ("The measure is \\boxed{92.5^\\circ}.", "Find m∠H", ("97", "102", "107", "122"), "92.5", "97"),
        ("(D) rotate", "What has been done to this letter?", ("slide", "flip", "turn"), "D", "flip"),
        # Yes and no.
        ("No, Midnight Blue does not intersect Purple.", "Does Midnight Blue intersect Purple?", ("yes", "no"), "B", "no"),
        ("The function is not convex, as it has a peak.", "is this function convex?", YES_NO, "B", "No"),
        ("The white plate is half full.", "Is the white plate half full?", YES_NO, "A", "Yes"),
        ("(C) The water container is half empty.", "Is the water half full?", YES_NO, "C", "No"),
        ("There are 2 jets and 3 bikes, so the number of jets is less than the number of bikes.",
         "Is the number of jets greater than the number of bikes?", YES_NO, "B", "No"),
        ("The larger is a square, while the smaller is an octagon.", "Is the larger shaped like the smaller?", YES_NO, "B", "No"),
        ("Olive is greater than Teal.", "Is Teal greater than Olive?", YES_NO, "B", "No"),
        ("Teal is greater than Olive.", "Is Teal greater than Olive?", YES_NO, "A", "Yes"),
        ("Unfortunately not; Olive is larger.", "Is Teal greater than Olive?", YES_NO, "B", "No"),
        ("Light Gold is the minimum.", "Is Sky Blue the minimum?", YES_NO, "B", "No"),
        ("It is the minimum.", "Is Sky Blue the minimum?", YES_NO, "A", "Yes"),
        ("The minimum is Sky Blue.", "Is Sky Blue the minimum?", YES_NO, "A", "Yes"),
        ("A: No, Sky Blue is not the minimum.", "Is Sky Blue the minimum?", YES_NO, "B", "No"),
        ("Nope.", "Is Sky Blue the minimum?", YES_NO, "B", "No"),
        ("The cube and the sphere are the same size.", "Is the cube bigger than the sphere?", YES_NO, "B", "No"),
        ("Their number equals that of the spheres.", "Is the number of cubes less than that of spheres?", YES_NO, "B", "No"),
        ("否", "Is Sky Blue the minimum?", YES_NO, "B", "No"),
        ("是的。", "Is Sky Blue the minimum?", YES_NO, "A", "Yes"),
        # Declined: nothing may be read into it, unless a choice says so.
        ("The image does not provide the increase or decrease. Please provide it.", "What happens?", FOOD, "N/A", "NA"),
        ("It cannot be determined.", "What is the length of AB?", GEOS, "E", GEOS[4]),
        ("None of the options (A, B, C, D) is correct.", "Find ∠BOC.", ANGLES, "N/A", "135°"),
        ("It is unclear. Without knowing f (f: R to R), it's impossible to say.", "Is it so?", YES_NO, "N/A", "No"),
        ("The text does not provide the sizes.", "Are there fewer?", YES_NO, "N/A", "No"),
        ("The sum cannot be determined.", "Is it larger?", YES_NO, "N/A", "No"),
        ("(C) yes\n(D) no", "Is Purple the minimum?", ("yes", "no"), "B", "no"),
        ("(E) 65°\n(F) 75°\n(A) 135°\n(B) 140°", "Find ∠BOC.", ANGLES, "B", "140°"),
        ("", "Find ∠BOC.", ANGLES, "", "135°"),
    ],
)  # fmt: skip
def test_multiple_choice(reply: str, question: str, choices: tuple[str, ...], extraction: str, prediction: str) -> None:
    assert extract(reply, question, "text", choices) == extraction
    verdict = mathvista_verdict(Problem.of(choice("1", choices, prediction, question=question), "test"), reply)
    assert (verdict.prediction, verdict.is_right) == (prediction, True)


@pytest.mark.parametrize(
    ("reply", "question", "extraction"),
    [
        ("14", "Which number is missing?", "14"),
        (" 14. ", "Which number is missing?", "14"),
        ("1,234 people", "How many people?", "1234"),
        ("$35", "How much?", "35"),
        ("There are 16 on the first plate and 15 on the second, for a total of **31 rolls**.", "How many rolls are there?", "31"),
        ("The difference is **1**.\n\nMinor ticks are every 0.5 units, so their difference is 0.5.", "Which difference?", "1"),
        ("Fourteen", "Which number is missing?", "14"),
        (r"\boxed{12 \text{ cm}}", "How long is it?", "12"),
        ("The number missing in the sequence is 14.", "Which number is missing?", "14"),
        ("There are three small objects left on the table.", "How many objects are left?", "3"),
        ("There are 2 bars that have values larger than 100.", "How many bars have values larger than 100?", "2"),
        ("The age gap is 13 years, with the man being 26 and the woman 13 years old.", "What is the age gap?", "13"),
        ("The highest share was in 2012, with 99% of schools.", "Which year recorded the highest share?", "2012"),
        ("There are 8 objects. If we subtract 3, there will be 5 objects left.\n\nSo the answer is 5.\n\nI hope this helps!",
         "How many objects are left?", "5"),
        ("The final answer is: 16", "In how many years is it greater than 1.6 %?", "16"),
        ("- There were 5 objects\n- Remove 2, now 3 are left\n- Remove 1\n\nTherefore, the number of objects left is 2.",
         "How many objects are left?", "2"),
        ("18 + 10 = 28\n\nThe total sum is 28.\n\nQuestion: 28", "What is the total sum?", "28"),
        ("Final value: -8", "What is the lowest value?", "-8"),
        ("42\n\nExplanation: 40 + 2.", "What is the sum?", "42"),
        ("There are no objects left.", "How many objects are left?", "0"),
        ("There are 5 things, 2 red.\n3 are tiny.\nTherefore, there are no objects left.", "How many objects are left?", "0"),
        ("The number of objects that remain comes to 4 of 9.", "How many objects are left?", "4"),
        ("After that, there are 4 objects left out of the original 9.", "How many objects are left?", "4"),
        # What repeats the question's own statement is no answer, and a number of what is counted comes before others.
        ("The box has 12 pens divided into 4 equal rows. There are 3 pens in each row.",
         "The box has 12 pens divided into 4 equal rows. There are (_) pens in each row.", "3"),
        ("The box has 12 pens divided into 4 equal rows, with each row containing 4 pens.",
         "The box has 12 pens divided into 4 equal rows. There are (_) pens in each row.", "4"),
        ("There are 2 bars below 30. They are those of 2011 and 2012. The values of these bars are 21 and 25.",
         "How many bars have a value below 30?", "2"),
        ("The answer is: imports are greater than 0.75 % in 3 years.", "In how many years are imports greater than 0.75 %?", "3"),
        ("Step 1) The highest bar (50).\nStep 2) The lowest bar (35).\nStep 3) Subtract it:\n50 - 35 = 15\n\n"
         "Therefore, the difference between the bars is 15.", "What is the difference between the bars?", "15"),
        ("3 pens in each row.", "The box has 12 pens divided into 4 equal rows. There are (_) pens in each row.", "3"),
        ("Total = 8 + 5 = 13\nCubes = 4\n= 13 - 4\n= 9\n\nTherefore, there are 9 things left.", "How many things are left?", "9"),
        ("The peak is 4. This is because the peak is reached when x = 2π.", "What is the peak of y?", "4"),
        ("* A total of 20 ties\n* P(silk) = 4/20 = 0.20\n* 0.30 x 0.20\n\nThe probability is 0.06.",
         "What is the probability that a tie is striped and made of silk? Simplify any fractions.", "0.06"),
        ("1.3 kilograms cost S10.4, so she spends S10.4 on 1+3/10 kilograms.", "How much does she spend? (Unit: $)", "10.4"),
        ("Luca needs $12 to buy 3 candies.", "How much does Luca need to buy 3 candies?", "12"),
        ("twenty-one", "How many?", "21"),
        ("The answer is two hundred and five.", "How many?", "205"),
        ("It shows 2.5.", "What is the lowest accuracy?", "2.5"),
        ("I cannot see the image, so I cannot count the 3 cats.", "How many cats are there?", "N/A"),
        ("The man is in his 40s. The gap is not possible to determine.", "What is the age gap?", "N/A"),
        ("All racks in the store.", "How many racks have at least 0 ties?", "N/A"),
        ("", "How many?", ""),
        ("nan", "How many?", "N/A"),
        ("The work over the 12 m is (500 kg) g / 5 = 1000 J.", "What is the work over the 12 m?", "1000"),
    ],
)  # fmt: skip
def test_integers(reply: str, question: str, extraction: str) -> None:
    assert extract(reply, question, "integer") == extraction
    verdict = mathvista_verdict(Problem.of(problem(question=question, answer=extraction or "3"), "test"), reply)
    whole = extraction.lstrip("-").isdigit()
    assert (verdict.prediction, verdict.is_right) == ((extraction, True) if whole else (verdict.prediction, False))


@pytest.mark.parametrize(
    ("reply", "precision", "extraction", "prediction"),
    [
        ("0.6", 1, "0.6", "0.6"),
        ("The fraction is 0.6, which means that six out of ten face it.", 1, "0.6", "0.6"),
        ("Luca needs $1.45.", 2, "1.45", "1.45"),
        ("so it is compressed by $\\sqrt{0.25} = 0.5$ meters.", 1, "0.5", "0.5"),
        (r"It is \frac{3}{4}.", 2, "0.75", "0.75"),
        ("3/4", 2, "0.75", "0.75"),
        ("1 1/2 cups", 1, "1.5", "1.5"),
        ("about 2.5 × 10^-3", 2, "0.0025", "0.0"),
        ("100% + 0% = 100%.\n\nFinal value: 100.0", 1, "100.0", "100.0"),
        ("The current is 3.456 A.", 2, "3.456", "3.46"),
        ("12%", 2, "12", "12.0"),
        (r"The length is $3\sqrt{2}$.", 2, "4.242640687119286", "4.24"),
        (".50", 2, "0.50", "0.5"),
        ("It is half a metre.", 1, "N/A", None),
    ],
)
def test_floats(reply: str, precision: int, extraction: str, prediction: str | None) -> None:
    assert extract(reply, "What is it?", "float") == extraction
    row = problem(question="What is it?", answer_type="float", precision=precision, answer=prediction or "0.5")
    verdict = mathvista_verdict(Problem.of(row, "test"), reply)
    assert (verdict.prediction, verdict.is_right) == (prediction, prediction is not None)


@pytest.mark.parametrize(
    ("reply", "extraction"),
    [
        ("[1, 2, 3]", "[1, 2, 3]"),
        ("The final list is [0,2,0,2].", "[0, 2, 0, 2]"),
        ("So the answer is a Python list:\n\n```python\n[2010, 2012]\n```", "[2010, 2012]"),
        ("The line saw its peak between 2007 and 2008.", "[2007, 2008]"),
        ("From 2007 to 2010. The other years are 2011 and 2012.", "[2007, 2010]"),
        (r"\boxed{[1.5, -2]}", "[1.5, -2]"),
        ("[1, 2] and finally [3, 4]", "[3, 4]"),
        ("It is 5.", "N/A"),
        ("[a, b]", "N/A"),
        ("", ""),
    ],
)
def test_lists(reply: str, extraction: str) -> None:
    question = "Between which two years did the line see its peak?"
    assert extract(reply, question, "list") == extraction
    row = problem(question=question, answer_type="list", answer="[2007, 2008]")
    assert mathvista_verdict(Problem.of(row, "test"), reply).is_right is (extraction == "[2007, 2008]")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234.5 and -3", [1234.5, -3]),
        ("5-3=2", [5, 3, 2]),
        ("x=-8", [-8]),
        ("the 3rd day, step 4, figure 5, ∠6", []),
        ("4cm2 and N_0", [4]),
        ("½ and \\frac{1}{4}", [0.5, 0.25]),
        ("1/0", []),
        ("ninety-nine thousand, nine hundred and one", [99_901]),
        ("9" * 60, []),
    ],
)
def test_numbers_in_prose(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers_in(text)] == values
