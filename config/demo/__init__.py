"""The demonstration: real documents through the whole platform, shown live in the terminal."""

from rich.console import Console

from config.demo.access import NoAccess, token_of_new_process
from config.demo.api import Api, ApiError
from config.demo.followed import Followed
from config.demo.report import report
from config.demo.submissions import Submission, submissions
from config.demo.watching import follow
from config.demo.ways_on import ways_on


def run(console: Console, base_url: str) -> bool:
    """Hand in the sample documents over the REST API of `base_url` and show what becomes of them.

    True only if every job ended `completed`. Trouble with the API is told in words, not raised.
    """
    try:
        token = token_of_new_process()
        with Api(base_url, token) as api:
            followed = [_handed_in(api, submission) for submission in submissions()]
            follow(api, followed, console)
    except (ApiError, NoAccess) as error:
        console.print("[bold red]The demonstration cannot go on.[/]")
        console.print(str(error), markup=False)
        return False
    report(followed, console)
    ways_on(base_url, token, console)
    return all(one.job["status"] == "completed" for one in followed)


def _handed_in(api: Api, submission: Submission) -> Followed:
    body = submission.body
    if submission.file:
        body = submission.with_file(api.upload(submission.file)["id"])
    return Followed(submission=submission, job=api.create_job(body))
