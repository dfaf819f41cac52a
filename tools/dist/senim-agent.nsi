; The Windows installer: for one person, without an administrator's rights. Windows itself asks before
; the machine's authority is trusted. Built by NSIS: makensis -DVERSION=… -DSTAGE=… -DOUT=… senim-agent.nsi
; A call of a plug-in is several instructions: jumps go to names, never over a number of lines.
Unicode true
RequestExecutionLevel user
Name "Senim"
OutFile "${OUT}"
!define ENTRY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Senim"
InstallDir "$LOCALAPPDATA\Programs\Senim"
InstallDirRegKey HKCU "${ENTRY}" "InstallLocation"
SetCompressor /SOLID lzma
!include MUI2.nsh
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "Russian"
!insertmacro MUI_LANGUAGE "English"
LangString RUNS ${LANG_RUSSIAN} "Прежний агент работает и не останавливается. Завершите его и начните установку снова. Ничего не изменено."
LangString RUNS ${LANG_ENGLISH} "The agent of before runs and does not stop. End it and start again. Nothing was changed."
LangString PARTLY ${LANG_RUSSIAN} "Программа на месте, но доверие браузеров или запуск при входе не установлены. Что мешает, скажет команда: senim-agent doctor"
LangString PARTLY ${LANG_ENGLISH} "The program is in its place, the trust of browsers or the start at sign-in is not. What is in the way: senim-agent doctor"
LangString STAYS ${LANG_RUSSIAN} "Ничего не удалено: ключи ждут сертификатов, или на компьютере осталось то, что ставил администратор. Что именно и что делать, скажет команда: senim-agent uninstall --whole"
LangString STAYS ${LANG_ENGLISH} "Nothing was deleted: keys wait for their certificates, or what an administrator put for the whole computer is still there. What it is and what to do: senim-agent uninstall --whole"

Section
  SetOutPath "$INSTDIR"
  ; An older agent of this person is asked to end, so that its program can be replaced.
  IfFileExists "$INSTDIR\senim-agent.exe" 0 put
    nsExec::ExecToLog '"$INSTDIR\senim-agent.exe" stop'
    Pop $0
    StrCmp $0 "0" put
      MessageBox MB_ICONSTOP "$(RUNS)" /SD IDOK
      Abort "$(RUNS)"
  put:
  File "${STAGE}/senim-agent.exe"
  File "${STAGE}/senim-agentw.exe"
  File "${STAGE}/README.txt"
  ; One that an older package brought speaks to no newer agent.
  Delete "$INSTDIR\senim-token.exe"
  !ifdef TOKENS
  File "${STAGE}/senim-token.exe"
  !endif
  File "${STAGE}/LICENSES.txt"
  ; What an older package brought is not trusted any more.
  Delete "$INSTDIR\authorities\*.*"
  !ifdef AUTHORITIES
  SetOutPath "$INSTDIR\authorities"
  File "${STAGE}/authorities/*.*"
  SetOutPath "$INSTDIR"
  !endif
  CreateShortcut "$SMPROGRAMS\Senim.lnk" "$INSTDIR\senim-agentw.exe" "open"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${ENTRY}" "DisplayName" "Senim"
  WriteRegStr HKCU "${ENTRY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${ENTRY}" "DisplayIcon" "$INSTDIR\senim-agentw.exe"
  WriteRegStr HKCU "${ENTRY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${ENTRY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${ENTRY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${ENTRY}" "NoModify" 1
  WriteRegDWORD HKCU "${ENTRY}" "NoRepair" 1
  ; As it was chosen when an older one was installed.
  nsExec::ExecToLog '"$INSTDIR\senim-agent.exe" install --yes --keep'
  Pop $0
  StrCmp $0 "0" begin
    MessageBox MB_ICONEXCLAMATION "$(PARTLY)" /SD IDOK
  begin:
  IfSilent quiet
    Exec '"$INSTDIR\senim-agentw.exe" open'
    Goto done
  quiet:
    Exec '"$INSTDIR\senim-agentw.exe" start'
  done:
SectionEnd

Section "Uninstall"
  ; Stops the agent too. Keys that wait for their certificates would be lost, and what is the whole machine's needs this
  ; program to go away: then nothing is deleted.
  IfFileExists "$INSTDIR\senim-agent.exe" 0 gone
  nsExec::ExecToLog '"$INSTDIR\senim-agent.exe" uninstall --whole'
  Pop $0
  StrCmp $0 "0" gone
    MessageBox MB_ICONSTOP "$(STAYS)" /SD IDOK
    Abort "$(STAYS)"
  gone:
  Delete "$SMPROGRAMS\Senim.lnk"
  Delete "$INSTDIR\senim-agent.exe"
  Delete "$INSTDIR\senim-agentw.exe"
  Delete "$INSTDIR\senim-token.exe"
  Delete "$INSTDIR\README.txt"
  Delete "$INSTDIR\LICENSES.txt"
  Delete "$INSTDIR\authorities\*.*"
  RMDir "$INSTDIR\authorities"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKCU "${ENTRY}"
SectionEnd
