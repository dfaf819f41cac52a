; The Windows installer: for one person, without an administrator's rights. Windows itself asks before
; the machine's authority is trusted. Built by NSIS: makensis -DVERSION=… -DSTAGE=… -DOUT=… senim-agent.nsi
Unicode true
RequestExecutionLevel user
Name "Senim"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Senim"
SetCompressor /SOLID lzma
!include MUI2.nsh
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "Russian"
!insertmacro MUI_LANGUAGE "English"
!define ENTRY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Senim"

Section
  SetOutPath "$INSTDIR"
  ; An older agent of this person is asked to end, so that its program can be replaced.
  IfFileExists "$INSTDIR\senim-agent.exe" 0 +2
    nsExec::ExecToLog '"$INSTDIR\senim-agent.exe" stop'
  File "${STAGE}/senim-agent.exe"
  File "${STAGE}/senim-agentw.exe"
  File "${STAGE}/README.txt"
  SetOutPath "$INSTDIR\authorities"
  File /nonfatal "${STAGE}/authorities/*.*"
  SetOutPath "$INSTDIR"
  CreateShortcut "$SMPROGRAMS\Senim.lnk" "$INSTDIR\senim-agentw.exe" "open"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${ENTRY}" "DisplayName" "Senim"
  WriteRegStr HKCU "${ENTRY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${ENTRY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegDWORD HKCU "${ENTRY}" "NoModify" 1
  nsExec::ExecToLog '"$INSTDIR\senim-agent.exe" install --yes'
  Pop $0
  StrCmp $0 "0" +2
    MessageBox MB_ICONEXCLAMATION "senim-agent doctor"
  Exec '"$INSTDIR\senim-agentw.exe" --wait'
SectionEnd

Section "Uninstall"
  nsExec::ExecToLog '"$INSTDIR\senim-agent.exe" uninstall'
  Pop $0
  StrCmp $0 "0" gone
    ; Keys that wait for their certificates would be lost: nothing is deleted.
    MessageBox MB_ICONSTOP "senim-agent uninstall: $0"
    Abort
  gone:
  Delete "$SMPROGRAMS\Senim.lnk"
  Delete "$INSTDIR\senim-agent.exe"
  Delete "$INSTDIR\senim-agentw.exe"
  Delete "$INSTDIR\README.txt"
  RMDir /r "$INSTDIR\authorities"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKCU "${ENTRY}"
SectionEnd
