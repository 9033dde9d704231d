"""What every view of a job says of its state, in one vocabulary: that of the job row as shown.

A protocol adds its view here; the drills hold all of them against each other.
"""

from collections.abc import Callable

import requests
from lxml import etree

# (session, address of the service, job) -> state
View = Callable[[requests.Session, str, str], str]

NAMES = {"wps": "http://www.opengis.net/wps/1.0.0", "ows": "http://www.opengis.net/ows/1.1"}
WAITING = "waiting"
STATES = (WAITING, "running", "succeeded", "failed", "dismissed")


def wps_status_document(session: requests.Session, url: str, job_id: str) -> str:
    """WPS 1.0.0: the status document at its own address."""
    answer = session.get(f"{url}/resto/wps/outputs/pywps-{job_id}.xml", timeout=30)
    return state_of_document(answer)


def wps_vendor_operation(session: requests.Session, url: str, job_id: str) -> str:
    """WPS 1.0.0: the vendor operation GetStatus."""
    query = {"service": "WPS", "version": "1.0.0", "request": "GetStatus", "jobid": job_id}
    return state_of_document(session.get(f"{url}/wps", params=query, timeout=30))


def state_of_document(answer: requests.Response) -> str:
    """Return the state that a whole, well-formed status document tells."""
    assert answer.status_code == 200, answer.text
    root = etree.fromstring(answer.content)
    assert root.tag == f"{{{NAMES['wps']}}}ExecuteResponse", answer.text
    (status,) = root.findall("wps:Status", NAMES)
    (element,) = status
    word = etree.QName(element).localname
    codes = [one.get("exceptionCode") for one in element.iterfind(".//ows:Exception", NAMES)]
    if word == "ProcessFailed":
        return "dismissed" if codes == ["JobDismissed"] else "failed"
    return {
        "ProcessAccepted": WAITING,
        "ProcessStarted": "running",
        "ProcessSucceeded": "succeeded",
    }[word]


def report(session: requests.Session, url: str, job_id: str) -> str:
    """The JSON report of the PEPS scripts."""
    address = f"{url}/resto/wps/outputs/{job_id}/report-{job_id}.json"
    word = session.get(address, timeout=30).json()["USER_INFO"]["job_status"]
    return {
        "PENDING": WAITING,
        "STALLED": "running",
        "FINISHED": "succeeded",
        "ERROR": "failed",
        "CANCELED": "dismissed",
    }[word]


def ogc_api(session: requests.Session, url: str, job_id: str) -> str:
    """OGC API - Processes: the status of a job."""
    answer = session.get(f"{url}/ogcapi/jobs/{job_id}", timeout=30)
    assert answer.status_code == 200, answer.text
    word = answer.json()["status"]
    return {"accepted": WAITING, "successful": "succeeded"}.get(word, word)


def ogc_api_list(session: requests.Session, url: str, job_id: str) -> str:
    """OGC API - Processes: the entry of a job in the list."""
    answer = session.get(f"{url}/ogcapi/jobs", params={"limit": 1000}, timeout=30)
    (entry,) = [one for one in answer.json()["jobs"] if one["jobID"] == job_id]
    return {"accepted": WAITING, "successful": "succeeded"}.get(entry["status"], entry["status"])


def wps_2(session: requests.Session, url: str, job_id: str) -> str:
    """WPS 2.0: the operation GetStatus."""
    query = {"service": "WPS", "version": "2.0.0", "request": "GetStatus", "jobid": job_id}
    answer = session.get(f"{url}/wps", params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    root = etree.fromstring(answer.content)
    word = root.findtext("{http://www.opengis.net/wps/2.0}Status") or ""
    return {"Accepted": WAITING}.get(word, word.lower())


VIEWS: dict[str, View] = {
    "WPS 1.0 document": wps_status_document,
    "WPS 1.0 GetStatus": wps_vendor_operation,
    "WPS 2.0 GetStatus": wps_2,
    "report": report,
    "OGC API": ogc_api,
    "OGC API list": ogc_api_list,
}


def agreed(url: str, job_id: str) -> str:
    """Return the state of a job that does not change meanwhile: one in every view."""
    with requests.Session() as session:
        said = {name: view(session, url, job_id) for name, view in VIEWS.items()}
    assert len(set(said.values())) == 1, said
    return next(iter(said.values()))
