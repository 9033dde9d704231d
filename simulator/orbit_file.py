"""Precise orbit files (EOF, Earth Observation File Format) of simulated passes."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from simulator.orbit import Trajectory

STAMP = "%Y%m%dT%H%M%S"


def write_orbit_file(
    folder: Path, satellite: str, epoch: datetime, trajectory: Trajectory, *, kind: str = "POEORB"
) -> Path:
    """Write state vectors as ESA's precise (POEORB) or restituted (RESORB) orbit file.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    satellite
        "S1A" to "S1D".
    epoch
        Of the trajectory's times.
    trajectory
        True positions and velocities.
    kind
        "POEORB" or "RESORB".
    """
    folder.mkdir(parents=True, exist_ok=True)
    first, last = (epoch + timedelta(seconds=float(trajectory.time[k])) for k in (0, -1))
    created = last + timedelta(days=20)
    name = (
        f"{satellite}_OPER_AUX_{kind}_OPOD_{created.strftime(STAMP)}"
        f"_V{first.strftime(STAMP)}_{last.strftime(STAMP)}"
    )
    vectors = zip(trajectory.time, trajectory.position, trajectory.velocity, strict=True)
    body = "".join(
        _vector_xml(epoch + timedelta(seconds=float(time)), position, velocity)
        for time, position, velocity in vectors
    )
    path = folder / f"{name}.EOF"
    path.write_text(f"""<?xml version="1.0" ?>
<Earth_Explorer_File>
  <Earth_Explorer_Header>
    <Fixed_Header>
      <File_Name>{name}</File_Name>
      <File_Type>AUX_{kind}</File_Type>
      <Mission>Sentinel-1{satellite[-1]}</Mission>
      <Validity_Period>
        <Validity_Start>UTC={first:%Y-%m-%dT%H:%M:%S}</Validity_Start>
        <Validity_Stop>UTC={last:%Y-%m-%dT%H:%M:%S}</Validity_Stop>
      </Validity_Period>
    </Fixed_Header>
    <Variable_Header><Ref_Frame>EARTH_FIXED</Ref_Frame><Time_Reference>UTC</Time_Reference>\
</Variable_Header>
  </Earth_Explorer_Header>
  <Data_Block type="xml">
    <List_of_OSVs count="{trajectory.time.size}">
{body}    </List_of_OSVs>
  </Data_Block>
</Earth_Explorer_File>
""")
    return path


def _vector_xml(time: datetime, position: np.ndarray, velocity: np.ndarray) -> str:
    """One state vector."""
    values = "".join(
        f'        <{name}{axis.upper()} unit="{unit}">{value:.6f}</{name}{axis.upper()}>\n'
        for name, unit, vector in (("", "m", position), ("V", "m/s", velocity))
        for axis, value in zip("xyz", vector, strict=True)
    )
    return f"""      <OSV>
        <TAI>TAI={time + timedelta(seconds=37):%Y-%m-%dT%H:%M:%S.%f}</TAI>
        <UTC>UTC={time:%Y-%m-%dT%H:%M:%S.%f}</UTC>
        <UT1>UT1={time:%Y-%m-%dT%H:%M:%S.%f}</UT1>
{values}        <Quality>NOMINAL</Quality>
      </OSV>
"""
