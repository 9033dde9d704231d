// The peer of the orthorectification benchmark: Orfeo ToolBox's calibration and orthorectification
// connected in memory, as S1Tiling chains them, for one polarisation on one MGRS tile.
//
// usage: otb_ortho MEASUREMENT.tiff OUTPUT.tif ULX ULY ZONE NORTH(0|1) DEM_FOLDER GEOID|- [SIZE]
// build: see benchmarks/s1_ortho.py (Debian packages libotb-dev and otb-bin)
#include <cstdlib>
#include <iostream>
#include <string>

#include "otbWrapperApplicationRegistry.h"
#include "otbWrapperOutputImageParameter.h"

using otb::Wrapper::Application;
using otb::Wrapper::ApplicationRegistry;

int main(int argc, char** argv)
{
  if (argc < 9)
  {
    std::cerr << "usage: otb_ortho IN OUT ULX ULY ZONE NORTH DEM GEOID|- [SIZE]\n";
    return 2;
  }
  const int         size = argc > 9 ? std::atoi(argv[9]) : 10980;
  const std::string output =
      std::string(argv[2]) + "?&gdal:co:COMPRESS=DEFLATE&gdal:co:PREDICTOR=3";

  Application::Pointer calibration = ApplicationRegistry::CreateApplication("SARCalibration");
  Application::Pointer ortho       = ApplicationRegistry::CreateApplication("OrthoRectification");
  if (calibration.IsNull() || ortho.IsNull())
  {
    std::cerr << "OTB applications not found: set OTB_APPLICATION_PATH\n";
    return 3;
  }
  calibration->SetParameterString("in", argv[1]);
  calibration->SetParameterString("lut", "gamma");
  calibration->SetParameterString("removenoise", "true");
  calibration->SetParameterInt("ram", 4096);
  calibration->Execute();

  ortho->SetParameterInputImage("io.in", calibration->GetParameterOutputImage("out"));
  ortho->SetParameterString("io.out", output);
  ortho->SetParameterOutputImagePixelType("io.out", otb::Wrapper::ImagePixelType_float);
  ortho->SetParameterString("interpolator", "linear");
  ortho->SetParameterString("map", "utm");
  ortho->SetParameterInt("map.utm.zone", std::atoi(argv[5]));
  ortho->SetParameterString("map.utm.northhem", std::atoi(argv[6]) ? "true" : "false");
  ortho->SetParameterString("outputs.mode", "auto");
  ortho->SetParameterFloat("outputs.spacingx", 10.0);
  ortho->SetParameterFloat("outputs.spacingy", -10.0);
  ortho->SetParameterInt("outputs.sizex", size);
  ortho->SetParameterInt("outputs.sizey", size);
  ortho->SetParameterFloat("outputs.ulx", std::atof(argv[3]));
  ortho->SetParameterFloat("outputs.uly", std::atof(argv[4]));
  ortho->SetParameterFloat("opt.gridspacing", 40.0);
  ortho->SetParameterInt("opt.ram", 4096);
  ortho->SetParameterString("elev.dem", argv[7]);
  if (std::string(argv[8]) != "-")
    ortho->SetParameterString("elev.geoid", argv[8]);
  return ortho->ExecuteAndWriteOutput();
}
